import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { clampMin, maximum, minimum } from './elementwise.ts';
import { assertSameShape, type Loss, type LossOptions, type Reduction, reduceLoss } from './losses.ts';

/** Options of `giouLoss`. */
export interface GiouOptions<R extends Reduction = 'mean'> extends LossOptions<R> {
  /** Smallest area that is divided by, in square pixels. Default 1e-6. */
  readonly eps?: number;
}

/**
 * 1 − GIoU of aligned box pairs (Rezatofighi et al., 2019), in [0, 2], reduced over the N pairs.
 *
 * @param prediction `[N, 4]` boxes x0, y0, x1, y1.
 * @param target `[N, 4]`.
 * @throws AsMlpError (input) for other shapes.
 */
export function giouLoss<R extends Reduction = 'mean'>(
  prediction: tf.Tensor2D,
  target: tf.Tensor2D,
  { eps = 1e-6, ...options }: GiouOptions<R> = {},
): Loss<R> {
  assertSameShape('giouLoss', prediction, target);
  if (prediction.rank !== 2 || prediction.shape[1] !== 4) {
    throw new AsMlpError('input', {
      what: `giouLoss was given boxes of shape [${prediction.shape}]`,
      fix: 'Give [N, 4] boxes x0, y0, x1, y1',
    });
  }
  return tf.tidy(() => {
    const [a0, a1] = corners(prediction);
    const [b0, b1] = corners(target);
    const overlap = area(clampMin(tf.sub(minimum(a1, b1), maximum(a0, b0)), 0));
    const union = clampMin(tf.sub(tf.add(area(tf.sub(a1, a0)), area(tf.sub(b1, b0))), overlap), eps);
    const hull = clampMin(area(clampMin(tf.sub(maximum(a1, b1), minimum(a0, b0)), 0)), eps);
    const giou = tf.sub(tf.div(overlap, union), tf.div(tf.sub(hull, union), hull));
    return reduceLoss(tf.sub(1, giou), options);
  });
}

/** `[N, 4]` → upper left and lower right corners, `[N, 2]` each. */
function corners(boxes: tf.Tensor2D): [tf.Tensor2D, tf.Tensor2D] {
  return [tf.slice(boxes, [0, 0], [-1, 2]), tf.slice(boxes, [0, 2], [-1, 2])];
}

/** `[N, 2]` widths and heights → `[N]` areas. */
function area(extents: tf.Tensor2D): tf.Tensor1D {
  const width = tf.slice(extents, [0, 0], [-1, 1]);
  const height = tf.slice(extents, [0, 1], [-1, 1]);
  return tf.reshape(tf.mul(width, height), [-1]);
}
