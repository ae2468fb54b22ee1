import type { Size } from '@as-mlp/data';
import { MASK_SIZE } from '../config.ts';
import { type Bins, regionBins } from '../roi/bins.ts';

/** The rectangle of a canvas that holds all pixels of an object: 1 where the object is. Zero outside. */
export interface Bitmap {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/**
 * What the mask head should answer in a box: the object's bitmap, RoIAligned (scale 1, aligned, as many samples as bins
 * need) to 28×28, at least one half. Writes 784 zeros and ones into `into`.
 *
 * @param canvas the padded image on which the bitmap and the box `[x0, y0, x1, y1]` lie; the box is cut off at its edges.
 */
export function maskTarget(
  bitmap: Bitmap,
  [x0, y0, x1, y1]: ArrayLike<number> & Iterable<number>,
  canvas: Size,
  into: Float32Array,
): void {
  const bins = (low: number, high: number, end: number) => {
    const [from, to] = [low, high].map((at) => Math.fround(Math.min(Math.max(at, 0), end) - 0.5));
    return regionBins(from!, to!, MASK_SIZE, end);
  };
  const rows = bins(y0!, y1!, canvas.height);
  const columns = bins(x0!, x1!, canvas.width);
  into.fill(0);
  const line = new Float64Array(bitmap.width);
  for (let y = 0; y < MASK_SIZE; y++) {
    if (!sumRows(bitmap, rows, y, line)) continue;
    for (let x = 0; x < MASK_SIZE; x++) {
      let sum = 0;
      for (let k = 0; k < columns.counts[x]!; k++) {
        const column = columns.starts[x]! + k - bitmap.left;
        if (column >= 0 && column < bitmap.width)
          sum += columns.weights[x * columns.most + k]! * line[column]!;
      }
      if (sum >= 0.5) into[y * MASK_SIZE + x] = 1;
    }
  }
}

/** The weighted sum of the bitmap's rows for row `y` of the answer; false when it touches none. */
function sumRows(
  bitmap: Bitmap,
  { starts, counts, weights, most }: Bins,
  y: number,
  line: Float64Array,
): boolean {
  let touched = false;
  line.fill(0);
  for (let k = 0; k < counts[y]!; k++) {
    const row = starts[y]! + k - bitmap.top;
    if (row < 0 || row >= bitmap.height) continue;
    touched = true;
    const weight = weights[y * most + k]!;
    const start = row * bitmap.width;
    for (let x = 0; x < line.length; x++) line[x]! += weight * bitmap.data[start + x]!;
  }
  return touched;
}
