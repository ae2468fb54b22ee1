import type { HostTensor } from '@as-mlp/train';
import { encodeBoxes } from '../boxes/coder.ts';
import type { RpnAnswer } from './answers.ts';
import { gatherBoxes } from './gather.ts';
import type { DetectionTargets } from './roi-targets.ts';
import type { RpnTargets } from './rpn-targets.ts';

/**
 * The chosen anchors of all images, those of each positives first.
 *
 * @param anchors `[N, 4]`.
 * @param chosen one for each image, as `targets`.
 */
export function rpnAnswerOf(
  anchors: Float32Array,
  chosen: readonly RpnTargets[],
  targets: readonly DetectionTargets[],
): RpnAnswer<HostTensor> {
  const count = chosen.reduce(
    (sum, { positives, negatives }) => sum + positives.length + negatives.length,
    0,
  );
  const rows = new Int32Array(count);
  const labels = new Float32Array(count);
  const goals = new Float32Array(4 * count);
  let row = 0;
  let averageFactor = 0;
  for (const [image, { positives, negatives, objects }] of chosen.entries()) {
    const start = (image * anchors.length) / 4;
    const matched = gatherBoxes(targets[image]!.boxes, objects);
    goals.set(encodeBoxes(gatherBoxes(anchors, positives), matched), 4 * row);
    labels.fill(1, row, row + positives.length);
    for (const indices of [positives, negatives]) {
      for (const anchor of indices) rows[row++] = start + anchor;
      averageFactor += Math.max(indices.length, 1);
    }
  }
  return {
    rows: { shape: [count], data: rows },
    labels: { shape: [count], data: labels },
    goals: { shape: [count, 4], data: goals },
    averageFactor: { shape: [], data: Float32Array.of(averageFactor) },
  };
}
