import type { HostTensor } from '@as-mlp/train';
import { encodeBoxes } from '../boxes/coder.ts';
import { MASK_SIZE } from '../config.ts';
import { ROI_NUMBERS, toRois } from '../roi/roi-align.ts';
import type { StageAnswer } from './answers.ts';
import { gatherBoxes, joinFloats } from './gather.ts';
import { type DetectionTargets, maskTargets, type RoiTargets } from './roi-targets.ts';
import type { ImageExtent } from './rpn-targets.ts';

/**
 * The chosen regions of all images as a stage's losses look at them.
 *
 * @param rois one for each image, as `targets` and `extents`.
 * @param std what the head's deltas are divided by; null: its loss is of boxes.
 */
export function stageAnswerOf(
  rois: readonly RoiTargets[],
  targets: readonly DetectionTargets[],
  extents: readonly ImageExtent[],
  numClasses: number,
  std: readonly number[] | null,
): StageAnswer<HostTensor> {
  const count = rois.reduce((sum, { labels }) => sum + labels.length, 0);
  const labels = new Int32Array(count);
  const rows = new Int32Array(count);
  const weights = new Float32Array(count);
  const goals = new Float32Array(4 * count);
  let row = 0;
  for (const [image, roi] of rois.entries()) {
    const own = roi.boxes.subarray(0, 4 * roi.positives);
    const objects = gatherBoxes(targets[image]!.boxes, roi.objects);
    // Background has no weight; as a goal its own box is as good as any.
    if (std) goals.set(encodeBoxes(own, objects, std), 4 * row);
    else goals.set(joinFloats([objects, roi.boxes.subarray(own.length)]), 4 * row);
    weights.fill(1, row, row + roi.positives);
    for (const label of roi.labels) {
      labels[row] = label;
      rows[row] = row * numClasses + Math.min(label, numClasses - 1);
      row++;
    }
  }
  return {
    rois: { shape: [count, ROI_NUMBERS], data: joinFloats(rois.map(({ boxes }, i) => toRois(boxes, i))) },
    labels: { shape: [count], data: labels },
    rows: { shape: [count], data: rows },
    weights: { shape: [count, 1], data: weights },
    goals: { shape: [count, 4], data: goals },
    ...maskAnswer(rois, targets, extents, numClasses),
  };
}

type MaskAnswer = Pick<StageAnswer<HostTensor>, 'maskRois' | 'maskRows' | 'masks' | 'maskWeights'>;

function maskAnswer(
  rois: readonly RoiTargets[],
  targets: readonly DetectionTargets[],
  extents: readonly ImageExtent[],
  numClasses: number,
): MaskAnswer {
  const found = rois.reduce((sum, { positives }) => sum + positives, 0);
  // Without positives the loss is 0, and so is its gradient, which the optimiser is to see all the same.
  const count = Math.max(found, 1);
  const positives = rois.map(({ boxes, positives }, image) =>
    toRois(boxes.subarray(0, 4 * positives), image),
  );
  const labels = rois.flatMap(({ labels: all, positives: own }) => [...all.subarray(0, own)]);
  const bitmaps = rois.map((roi, image) => maskTargets(roi, targets[image]!.masks, extents[image]!.padded));
  return {
    maskRois: { shape: [count, ROI_NUMBERS], data: filled(count * ROI_NUMBERS, joinFloats(positives)) },
    maskRows: {
      shape: [count],
      data: Int32Array.from({ length: count }, (_, i) => i * numClasses + (labels[i] ?? 0)),
    },
    masks: { shape: [count, MASK_SIZE ** 2], data: filled(count * MASK_SIZE ** 2, joinFloats(bitmaps)) },
    maskWeights: { shape: [count, 1], data: new Float32Array(count).fill(1, 0, found) },
  };
}

/** `values`, and zeros after them. */
function filled(length: number, values: Float32Array): Float32Array {
  if (values.length === length) return values;
  const all = new Float32Array(length);
  all.set(values);
  return all;
}
