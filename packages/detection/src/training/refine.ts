import { decodeBoxes } from '../boxes/coder.ts';
import type { RoiTargets } from './roi-targets.ts';
import type { ImageExtent } from './rpn-targets.ts';

/**
 * The candidates of the next stage of a cascade: the regions moved by the deltas of their own class, background by those of
 * its likeliest class, cut off at the image's edges; objects' own boxes are left out, since the next stage adds them again.
 *
 * @param logits `[R, K + 1]` and deltas `[R, 4 · K]` for all regions.
 * @returns `[N, 4]` for each image.
 */
export function refineBoxes(
  rois: readonly RoiTargets[],
  { logits, deltas }: { readonly logits: Float32Array; readonly deltas: Float32Array },
  std: readonly number[],
  extents: readonly ImageExtent[],
  numClasses: number,
): Float32Array[] {
  let row = 0;
  return rois.map(({ boxes, labels, fromObjects }, image) => {
    const own = new Float32Array(boxes.length);
    labels.forEach((label, i) => {
      const best = label < numClasses ? label : argMax(logits, row * (numClasses + 1), numClasses);
      const from = 4 * (row * numClasses + best);
      own.set(deltas.subarray(from, from + 4), 4 * i);
      row++;
    });
    const clip = extents[image]!.image;
    return decodeBoxes(boxes, own, { std, clip }).subarray(4 * fromObjects);
  });
}

/** Index, from 0, of the greatest of `count` values from `start` on; the first of equal ones. */
function argMax(values: Float32Array, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[start + i]! > values[start + best]!) best = i;
  return best;
}
