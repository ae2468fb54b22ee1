import { binaryCrossEntropyWithLogits, l1Loss, smoothL1Loss } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { encodeBoxes } from '../boxes/coder.ts';
import type { RpnOutput } from '../heads/rpn-head.ts';
import { gatherBoxes } from './gather.ts';
import type { RpnTargets } from './rpn-targets.ts';

/** Where the official smooth L1 loss of the proposal network turns from parabola to line. */
const BETA = 1 / 9;

/** The proposal network's answers for all anchors of a batch, level after level. */
export interface RpnAnswers {
  /** `[B, N]` objectness before the sigmoid. */
  readonly logits: tf.Tensor2D;
  /** `[B, N, 4]`. */
  readonly deltas: tf.Tensor3D;
}

/** The levels end to end, in the order of the anchors. */
export function joinLevels(levels: readonly RpnOutput[]): RpnAnswers {
  const batch = levels[0]!.logits.shape[0];
  const logits = levels.map(({ logits: level }) => tf.reshape(level, [batch, -1]) as tf.Tensor2D);
  const deltas = levels.map(({ deltas: level }) => tf.reshape(level, [batch, -1, 4]) as tf.Tensor3D);
  return { logits: tf.concat(logits, 1), deltas: tf.concat(deltas, 1) };
}

/**
 * Losses of the proposal network: binary cross entropy of the chosen anchors, and the box loss of the positives, both
 * divided by the number of chosen anchors.
 *
 * @param anchors `[N, 4]`.
 * @param targets one for each image.
 * @param objects `[K, 4]` boxes of each image's objects.
 */
export function rpnLosses(
  { logits, deltas }: RpnAnswers,
  anchors: Float32Array,
  targets: readonly RpnTargets[],
  objects: readonly Float32Array[],
  boxLoss: 'l1' | 'smooth-l1',
): { classes: tf.Scalar; boxes: tf.Scalar } {
  const count = anchors.length / 4;
  const chosen = targets.flatMap(({ positives, negatives }, image) =>
    [...positives, ...negatives].map((anchor) => image * count + anchor),
  );
  const labels = targets.flatMap(({ positives, negatives }) => [
    ...positives.map(() => 1),
    ...negatives.map(() => 0),
  ]);
  const averageFactor = targets.reduce(
    (sum, { positives, negatives }) => sum + Math.max(positives.length, 1) + Math.max(negatives.length, 1),
    0,
  );
  const found = targets.flatMap(({ positives }, image) =>
    [...positives].map((anchor) => image * count + anchor),
  );
  const goals = Float32Array.from(
    targets.flatMap(({ positives, objects: matched }, image) => [
      ...encodeBoxes(gatherBoxes(anchors, positives), gatherBoxes(objects[image]!, matched)),
    ]),
  );
  return tf.tidy(() => {
    const scores = tf.gather(tf.reshape(logits, [-1]), tf.tensor1d(chosen, 'int32'));
    const moves = tf.gather(tf.reshape(deltas, [-1, 4]), tf.tensor1d(found, 'int32'));
    const wanted = tf.tensor2d(goals, [found.length, 4]);
    const options = { averageFactor } as const;
    return {
      classes: binaryCrossEntropyWithLogits(scores, tf.tensor1d(labels, 'float32'), options),
      boxes:
        boxLoss === 'l1'
          ? l1Loss(moves, wanted, options)
          : smoothL1Loss(moves, wanted, { beta: BETA, ...options }),
    };
  });
}
