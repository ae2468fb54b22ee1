import { binaryCrossEntropyWithLogits, crossEntropy, giouLoss, l1Loss } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { BoxOutput } from '../heads/box-head.ts';
import type { StageAnswer } from './answers.ts';
import { decodeBoxTensor } from './decode-tensor.ts';

/** Official weight of the GIoU loss. */
const GIOU_WEIGHT = 10;

/**
 * Losses of a box head: cross entropy over all regions, and the box loss of the positives for their own class, divided by
 * the number of all regions.
 *
 * @param std what the head's deltas are divided by.
 */
export function boxHeadLosses(
  { logits, deltas }: BoxOutput,
  { rois, labels, rows, weights, goals }: StageAnswer,
  std: readonly number[],
  kind: 'l1' | 'giou',
): { classes: tf.Scalar; boxes: tf.Scalar } {
  return tf.tidy(() => {
    const picked = tf.gather(tf.reshape(deltas, [-1, 4]), rows as tf.Tensor1D) as tf.Tensor2D;
    const averageFactor = logits.shape[0];
    const boxLoss = () => {
      if (kind === 'l1') return l1Loss(picked, goals, { averageFactor, weight: weights });
      const boxes = tf.slice(rois as tf.Tensor2D, [0, 1], [-1, 4]);
      const moved = decodeBoxTensor(boxes, picked, std);
      const options = { averageFactor, weight: tf.reshape(weights, [-1]) };
      return tf.mul(giouLoss(moved, goals as tf.Tensor2D, options), GIOU_WEIGHT) as tf.Scalar;
    };
    return { classes: crossEntropy(logits, labels) as tf.Scalar, boxes: boxLoss() };
  });
}

/**
 * Loss of a mask head: mean binary cross entropy of the mask of each positive's own class.
 *
 * @param logits `[P, 28, 28, K]`, P ≥ 1.
 */
export function maskHeadLoss(logits: tf.Tensor4D, { maskRows, masks, maskWeights }: StageAnswer): tf.Scalar {
  return tf.tidy(() => {
    const planes = tf.reshape(tf.transpose(logits, [0, 3, 1, 2]), [-1, masks.shape[1]!]);
    const own = tf.gather(planes, maskRows as tf.Tensor1D);
    return binaryCrossEntropyWithLogits(own, masks, { weight: maskWeights });
  });
}
