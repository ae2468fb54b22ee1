import type { Size } from '@as-mlp/data';
import { type Rle, rleFromEdges } from '../coco/rle.ts';

/** Where the centres of pixels lie in a mask along one axis. */
interface Positions {
  /** First pixel. */
  readonly begin: number;
  /** Cell before each pixel's centre, from −1 to cells − 1. */
  readonly cells: Int32Array;
  /** How far each centre is on the way to the next cell, in [0, 1). */
  readonly fractions: Float64Array;
}

/** The pixels that a box from `low` to `high` reaches: outside of half a cell around it a mask is 0. */
function positions(low: number, high: number, cells: number, pixels: number): Positions {
  const begin = Math.min(Math.max(0, Math.floor(low) - 1), pixels);
  const end = Math.max(begin, Math.min(pixels, Math.ceil(high) + 1));
  const found = { begin, cells: new Int32Array(end - begin), fractions: new Float64Array(end - begin) };
  for (let i = 0; i < end - begin; i++) {
    const position = ((begin + i + 0.5 - low) / (high - low)) * cells - 0.5;
    const inside = Math.min(Math.max(position, -1), cells);
    found.cells[i] = Math.floor(inside);
    found.fractions[i] = inside - Math.floor(inside);
  }
  return found;
}

/**
 * A square mask of probabilities stretched over its box, as run lengths at the size of the image: pixels whose bilinear
 * value at the centre is at least `threshold` are inside. Outside of the mask it is 0, and so is the mask of a box
 * without width or height.
 *
 * @param mask `[side, side]`, rows first.
 * @param box x0, y0, x1, y1 in pixels of the image.
 */
export function pasteMask(mask: Float32Array, box: ArrayLike<number>, image: Size, threshold = 0.5): Rle {
  const [x0, y0, x1, y1] = Array.from(box) as [number, number, number, number];
  const edges: number[] = [];
  if (!(x1 > x0 && y1 > y0)) return rleFromEdges(edges, 0, image);
  const side = Math.sqrt(mask.length);
  const columns = positions(x0, x1, side, image.width);
  const rows = positions(y0, y1, side, image.height);
  // One column of the mask between two of its columns, with a zero before and two behind it.
  const mixed = new Float64Array(side + 3);
  for (let i = 0; i < columns.cells.length; i++) {
    mixColumns(mask, side, columns.cells[i]!, columns.fractions[i]!, mixed);
    const start = (columns.begin + i) * image.height + rows.begin;
    let inside = false;
    for (let j = 0; j < rows.cells.length; j++) {
      const cell = rows.cells[j]! + 1;
      const fraction = rows.fractions[j]!;
      const value = mixed[cell]! * (1 - fraction) + mixed[cell + 1]! * fraction;
      if (value >= threshold === inside) continue;
      inside = !inside;
      edges.push(start + j);
    }
    if (inside) edges.push(start + rows.cells.length);
  }
  return rleFromEdges(edges, edges.length, image);
}

function mixColumns(
  mask: Float32Array,
  side: number,
  column: number,
  fraction: number,
  into: Float64Array,
): void {
  const hasLeft = column >= 0 && column < side;
  const hasRight = column + 1 < side;
  for (let row = 0; row < side; row++) {
    const left = hasLeft ? mask[row * side + column]! : 0;
    const right = hasRight ? mask[row * side + column + 1]! : 0;
    into[row + 1] = left * (1 - fraction) + right * fraction;
  }
}
