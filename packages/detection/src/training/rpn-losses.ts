import { binaryCrossEntropyWithLogits, l1Loss, smoothL1Loss } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { RpnOutput } from '../heads/rpn-head.ts';
import type { RpnAnswer } from './answers.ts';

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
 */
export function rpnLosses(
  { logits, deltas }: RpnAnswers,
  { rows, labels, goals, averageFactor }: RpnAnswer,
  boxLoss: 'l1' | 'smooth-l1',
): { classes: tf.Scalar; boxes: tf.Scalar } {
  return tf.tidy(() => {
    const scores = tf.gather(tf.reshape(logits, [-1]), rows as tf.Tensor1D);
    const moves = tf.gather(tf.reshape(deltas, [-1, 4]), rows as tf.Tensor1D);
    const factor = averageFactor as tf.Scalar;
    const options = { averageFactor: factor, weight: tf.expandDims(labels, 1) };
    return {
      classes: binaryCrossEntropyWithLogits(scores, labels, { averageFactor: factor }),
      boxes:
        boxLoss === 'l1'
          ? l1Loss(moves, goals, options)
          : smoothL1Loss(moves, goals, { beta: BETA, ...options }),
    };
  });
}
