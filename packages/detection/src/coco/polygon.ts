import { AsMlpError } from '@as-mlp/base';
import type { Size } from '@as-mlp/data';
import type { Box } from '../boxes/box.ts';
import { type Rle, rleFromEdges } from './rle.ts';

/** pycocotools draws the outline at five times the resolution. */
const SCALE = 5;
/** Of each five fine columns, the outline counts where it crosses from this one to the next: the pixel's middle. */
const MIDDLE = 2;

/**
 * The mask of one polygon, x and y by turns in pixels, equal to pycocotools to the last pixel: corners are rounded to
 * fifths of a pixel (towards zero where negative), edges are drawn as lines on that grid, and each column of pixels
 * changes between outside and inside where a line crosses its middle. Corners may lie outside the image.
 * Throws AsMlpError('input') for an odd number of values and for values that are not finite.
 */
export function polygonRle(points: ArrayLike<number>, size: Size): Rle {
  if (points.length % 2 !== 0) {
    throw new AsMlpError('input', {
      what: `a polygon of ${points.length} numbers has a corner without y`,
      fix: 'Give x and y by turns',
    });
  }
  const corners = points.length / 2;
  const grid = new Float64Array(points.length);
  let capacity = 0;
  for (let i = 0; i < points.length; i++) {
    if (!Number.isFinite(points[i])) {
      throw new AsMlpError('input', {
        what: `value ${i + 1} of a polygon is ${points[i]}`,
        fix: 'Give finite numbers of pixels',
      });
    }
    grid[i] = Math.trunc(SCALE * points[i]! + 0.5);
  }
  for (let i = 0; i < corners; i++) {
    const span = Math.abs(grid[2 * i]! - grid[2 * ((i + 1) % corners)]!);
    capacity += Math.min(size.width, Math.floor(span / SCALE) + 1);
  }
  const edges = new Uint32Array(capacity);
  let n = 0;
  for (let i = 0; i < corners; i++) {
    const next = (i + 1) % corners;
    n = cross(grid[2 * i]!, grid[2 * i + 1]!, grid[2 * next]!, grid[2 * next + 1]!, size, edges, n);
  }
  const sorted = edges.subarray(0, n).sort();
  return rleFromEdges(sorted, n, size);
}

/** Adds where the line from (xa, ya) to (xb, yb), on the fine grid, crosses the middles of columns. Returns the new count. */
function cross(
  xa: number,
  ya: number,
  xb: number,
  yb: number,
  { height, width }: Size,
  edges: Uint32Array,
  n: number,
): number {
  const [dx, dy] = [Math.abs(xb - xa), Math.abs(yb - ya)];
  const flat = dx >= dy;
  // A line is drawn the same way from either end.
  const flip = flat ? xa > xb : ya > yb;
  const [xs, ys, xe, ye] = flip ? [xb, yb, xa, ya] : [xa, ya, xb, yb];
  const slope = flat ? (ye - ys) / dx : (xe - xs) / dy;
  const from = flat ? xs : Math.min(Math.trunc(xs + 0.5), Math.trunc(xs + slope * dy + 0.5));
  const to = flat ? xe : Math.max(Math.trunc(xs + 0.5), Math.trunc(xs + slope * dy + 0.5));
  const first = Math.max(0, Math.ceil((from - MIDDLE) / SCALE));
  const last = Math.min(width - 1, Math.floor((to - 1 - MIDDLE) / SCALE));
  for (let x = first; x <= last; x++) {
    const middle = SCALE * x + MIDDLE;
    let fine: number;
    if (flat) {
      const t = middle - xs;
      fine = Math.min(Math.trunc(ys + slope * t + 0.5), Math.trunc(ys + slope * (t + 1) + 0.5));
    } else {
      fine = ys + stepAcross(middle, xs, slope, dy) - 1;
    }
    const y = (fine + 0.5) / SCALE - 0.5;
    edges[n++] = x * height + Math.ceil(Math.min(Math.max(y, 0), height));
  }
  return n;
}

/** The first step t of a steep line whose column lies beyond `middle`: the estimate may miss by a rounding. */
function stepAcross(middle: number, xs: number, slope: number, steps: number): number {
  let t = Math.min(Math.max(Math.ceil((middle + 0.5 - xs) / slope), 1), steps);
  while (t > 1 && isBeyond(middle, xs, slope, t - 1)) t--;
  while (!isBeyond(middle, xs, slope, t)) t++;
  return t;
}

function isBeyond(middle: number, xs: number, slope: number, t: number): boolean {
  const column = Math.trunc(xs + slope * t + 0.5);
  return slope > 0 ? column > middle : column <= middle;
}

/** The mask of a box: the pixels whose middles lie inside, as pycocotools draws its four corners. */
export function boxRle([x0, y0, x1, y1]: Box, size: Size): Rle {
  return polygonRle([x0, y0, x0, y1, x1, y1, x1, y0], size);
}
