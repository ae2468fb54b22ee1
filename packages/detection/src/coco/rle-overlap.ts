import { AsMlpError } from '@as-mlp/base';
import type { Box } from '../boxes/box.ts';
import { type Rle, rleArea, rleBox, rleFromEdges } from './rle.ts';

/** The union or intersection of masks of one size. Throws AsMlpError('input') for none, or for different sizes. */
export function mergeRles(masks: readonly Rle[], how: 'union' | 'intersection' = 'union'): Rle {
  const [first, ...rest] = masks;
  if (!first) throw new AsMlpError('input', { what: 'no masks to merge', fix: 'Give one at least' });
  return rest.reduce((a, b) => combine(a, b, how === 'intersection'), first);
}

function combine(a: Rle, b: Rle, intersect: boolean): Rle {
  checkSameSize(a, b);
  const [edgesA, edgesB] = [runEnds(a), runEnds(b)];
  const total = a.height * a.width;
  const edges = new Uint32Array(edgesA.length + edgesB.length);
  let [i, j, n] = [0, 0, 0];
  let [inA, inB, inside] = [false, false, false];
  while (true) {
    const next = Math.min(edgesA[i] ?? total, edgesB[j] ?? total);
    if (next >= total) return rleFromEdges(edges, n, a);
    for (; edgesA[i] === next; i++) inA = !inA;
    for (; edgesB[j] === next; j++) inB = !inB;
    const now = intersect ? inA && inB : inA || inB;
    if (now !== inside) edges[n++] = next;
    inside = now;
  }
}

/** Where each run ends: position of the first pixel after it. */
function runEnds({ counts }: Rle): Uint32Array {
  const ends = new Uint32Array(counts.length);
  let position = 0;
  for (let i = 0; i < counts.length; i++) {
    position += counts[i]!;
    ends[i] = position;
  }
  return ends;
}

/** Pixels inside both of two masks given as {@link runEnds}. */
function intersection(a: Uint32Array, b: Uint32Array): number {
  let area = 0;
  for (let i = 1, j = 1; i < a.length && j < b.length; ) {
    const [endA, endB] = [a[i]!, b[j]!];
    const start = Math.max(a[i - 1]!, b[j - 1]!);
    const end = Math.min(endA, endB);
    if (end > start) area += end - start;
    if (endA <= endB) i += 2;
    if (endB <= endA) j += 2;
  }
  return area;
}

/**
 * Intersection over union of every detected mask with every true one: `[D · G]`, row by detection. For a crowd it is
 * intersection over the detection's area, as a detection may cover any part of a crowd. Equal to pycocotools.
 * Throws AsMlpError('input') for masks of different size.
 */
export function rleIou(
  detected: readonly Rle[],
  truth: readonly Rle[],
  crowd: ArrayLike<number | boolean>,
): Float64Array {
  const iou = new Float64Array(detected.length * truth.length);
  if (iou.length === 0) return iou;
  const [masksD, masksG] = [detected.map(measure), truth.map(measure)];
  for (let d = 0; d < masksD.length; d++) {
    for (let g = 0; g < masksG.length; g++) {
      const [a, b] = [masksD[d]!, masksG[g]!];
      checkSameSize(a.mask, b.mask);
      if (!touch(a.box, b.box)) continue;
      a.ends ??= runEnds(a.mask);
      b.ends ??= runEnds(b.mask);
      const shared = intersection(a.ends, b.ends);
      if (shared > 0) iou[d * masksG.length + g] = shared / (crowd[g] ? a.area : a.area + b.area - shared);
    }
  }
  return iou;
}

interface MeasuredMask {
  readonly mask: Rle;
  readonly box: Box;
  readonly area: number;
  ends?: Uint32Array;
}

function measure(mask: Rle): MeasuredMask {
  return { mask, box: rleBox(mask), area: rleArea(mask) };
}

function touch(a: Box, b: Box): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

/**
 * Intersection over union of boxes as they stand in COCO files: `[D · G]`, row by detection, from `[D · 4]` and `[G · 4]` of
 * x, y, width, height. Crowds as in {@link rleIou}. Width and height stay as written, because a difference in the last
 * bit of an IoU decides a match at a threshold.
 */
export function xywhIou(
  detected: Float64Array,
  truth: Float64Array,
  crowd: ArrayLike<number | boolean>,
): Float64Array {
  const [rows, columns] = [detected.length / 4, truth.length / 4];
  const iou = new Float64Array(rows * columns);
  for (let d = 0; d < rows; d++) {
    const [dx, dy, dw, dh] = [
      detected[4 * d]!,
      detected[4 * d + 1]!,
      detected[4 * d + 2]!,
      detected[4 * d + 3]!,
    ];
    const area = dw * dh;
    for (let g = 0; g < columns; g++) {
      const [gx, gy, gw, gh] = [truth[4 * g]!, truth[4 * g + 1]!, truth[4 * g + 2]!, truth[4 * g + 3]!];
      const width = Math.min(dw + dx, gw + gx) - Math.max(dx, gx);
      const height = Math.min(dh + dy, gh + gy) - Math.max(dy, gy);
      if (width <= 0 || height <= 0) continue;
      const shared = width * height;
      iou[d * columns + g] = shared / (crowd[g] ? area : area + gw * gh - shared);
    }
  }
  return iou;
}

function checkSameSize(a: Rle, b: Rle): void {
  if (a.height === b.height && a.width === b.width) return;
  throw new AsMlpError('input', {
    what: `masks of ${a.height}×${a.width} and ${b.height}×${b.width} (height × width) cannot be compared`,
    fix: 'Make both at the size of the image',
  });
}
