import * as tf from '@tensorflow/tfjs-core';

/** Widths and heights change by e to this power at most. */
const GREATEST_GROWTH = Math.abs(Math.log(16 / 1000));

/**
 * `decodeBoxes` as a tensor with a gradient: `[P, 4]` boxes moved by `[P, 4]` deltas that were divided by `std`, not cut
 * off anywhere.
 */
export function decodeBoxTensor(
  boxes: tf.Tensor2D,
  deltas: tf.Tensor2D,
  std: readonly number[],
): tf.Tensor2D {
  return tf.tidy(() => {
    const low = tf.slice(boxes, [0, 0], [-1, 2]);
    const high = tf.slice(boxes, [0, 2], [-1, 2]);
    const size = tf.sub(high, low);
    const scaled = tf.mul(deltas, tf.tensor1d([...std]));
    const shift = tf.mul(tf.slice(scaled, [0, 0], [-1, 2]), size);
    const growth = tf.clipByValue(tf.slice(scaled, [0, 2], [-1, 2]), -GREATEST_GROWTH, GREATEST_GROWTH);
    const half = tf.mul(tf.mul(tf.exp(growth), size), 0.5);
    const centre = tf.add(tf.mul(tf.add(low, high), 0.5), shift);
    return tf.concat([tf.sub(centre, half), tf.add(centre, half)], 1) as tf.Tensor2D;
  });
}
