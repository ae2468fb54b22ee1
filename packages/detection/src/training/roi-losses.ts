import { binaryCrossEntropyWithLogits, crossEntropy, giouLoss, l1Loss } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { encodeBoxes } from '../boxes/coder.ts';
import { MASK_SIZE } from '../config.ts';
import type { BoxOutput } from '../heads/box-head.ts';
import { decodeBoxTensor } from './decode-tensor.ts';

/** Official weight of the GIoU loss. */
const GIOU_WEIGHT = 10;

/** The regions of a batch that a box stage learns from. */
export interface StageBatch {
  /** `[R]` classes, the background last. */
  readonly labels: Int32Array;
  /** Rows of the positives. */
  readonly positives: Int32Array;
  /** `[P, 4]` boxes of the positives, and of their objects. */
  readonly boxes: Float32Array;
  readonly goals: Float32Array;
}

/**
 * Losses of a box head: cross entropy over all regions, and the box loss of the positives for their own class, divided by
 * the number of all regions.
 *
 * @param std what the head's deltas are divided by.
 */
export function boxHeadLosses(
  { logits, deltas }: BoxOutput,
  { labels, positives, boxes, goals }: StageBatch,
  std: readonly number[],
  kind: 'l1' | 'giou',
): { classes: tf.Scalar; boxes: tf.Scalar } {
  const classes = deltas.shape[1] / 4;
  return tf.tidy(() => {
    const rows = positives.map((row) => row * classes + labels[row]!);
    const picked = tf.gather(tf.reshape(deltas, [-1, 4]), tf.tensor1d(rows, 'int32')) as tf.Tensor2D;
    const options = { averageFactor: labels.length } as const;
    const shape: [number, number] = [positives.length, 4];
    const boxLoss = () => {
      if (kind === 'l1') return l1Loss(picked, tf.tensor2d(encodeBoxes(boxes, goals, std), shape), options);
      const moved = decodeBoxTensor(boxes, picked, std);
      return tf.mul(giouLoss(moved, tf.tensor2d(goals, shape), options), GIOU_WEIGHT) as tf.Scalar;
    };
    return {
      classes: crossEntropy(logits, tf.tensor1d(labels, 'int32')) as tf.Scalar,
      boxes: boxLoss(),
    };
  });
}

/**
 * Loss of a mask head: mean binary cross entropy of the mask of each positive's own class.
 *
 * @param logits `[P, 28, 28, K]`, P ≥ 1.
 * @param labels `[P]`.
 * @param targets `[P, 28, 28]` zeros and ones.
 */
export function maskHeadLoss(logits: tf.Tensor4D, labels: Int32Array, targets: Float32Array): tf.Scalar {
  const [count, , , classes] = logits.shape;
  return tf.tidy(() => {
    const cells = MASK_SIZE * MASK_SIZE;
    const planes = tf.reshape(tf.transpose(logits, [0, 3, 1, 2]), [count * classes, cells]);
    const rows = labels.map((label, i) => i * classes + label);
    const own = tf.gather(planes, tf.tensor1d(rows, 'int32'));
    return binaryCrossEntropyWithLogits(own, tf.tensor2d(targets, [count, cells]));
  });
}
