import { decodeBoxes } from '../boxes/coder.ts';
import type { BoxOutput } from '../heads/box-head.ts';
import type { RoiTargets } from './roi-targets.ts';
import type { ImageExtent } from './rpn-targets.ts';

/**
 * The candidates of the next stage of a cascade: the regions moved by the deltas of their own class, background by those of
 * its likeliest class, cut off at the image's edges; objects' own boxes are left out, since the next stage adds them again.
 *
 * @returns `[N, 4]` for each image.
 */
export function refineBoxes(
  rois: readonly RoiTargets[],
  { logits, deltas }: BoxOutput,
  std: readonly number[],
  extents: readonly ImageExtent[],
  numClasses: number,
): Float32Array[] {
  const scores = logits.dataSync<'float32'>();
  const moves = deltas.dataSync<'float32'>();
  let row = 0;
  return rois.map(({ boxes, labels, fromObjects }, image) => {
    const own = new Float32Array(boxes.length);
    labels.forEach((label, i) => {
      const best = label < numClasses ? label : argMax(scores, row * (numClasses + 1), numClasses);
      const from = 4 * (row * numClasses + best);
      own.set(moves.subarray(from, from + 4), 4 * i);
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
