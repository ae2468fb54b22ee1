import * as tf from '@tensorflow/tfjs-core';

/** Widths and heights change by e to this power at most. */
const GREATEST_GROWTH = Math.abs(Math.log(16 / 1000));

/**
 * `decodeBoxes` as a tensor with a gradient: `[P, 4]` boxes moved by `[P, 4]` deltas that were divided by `std`, not cut
 * off anywhere.
 */
export function decodeBoxTensor(
  boxes: Float32Array,
  deltas: tf.Tensor2D,
  std: readonly number[],
): tf.Tensor2D {
  const count = boxes.length / 4;
  const centres = new Float32Array(2 * count);
  const sizes = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 2; c++) {
      const low = boxes[4 * i + c]!;
      const high = boxes[4 * i + 2 + c]!;
      centres[2 * i + c] = (low + high) / 2;
      sizes[2 * i + c] = high - low;
    }
  }
  return tf.tidy(() => {
    const scaled = tf.mul(deltas, tf.tensor1d([...std]));
    const size = tf.tensor2d(sizes, [count, 2]);
    const shift = tf.mul(tf.slice(scaled, [0, 0], [-1, 2]), size);
    const growth = tf.clipByValue(tf.slice(scaled, [0, 2], [-1, 2]), -GREATEST_GROWTH, GREATEST_GROWTH);
    const half = tf.mul(tf.mul(tf.exp(growth), size), 0.5);
    const centre = tf.add(tf.tensor2d(centres, [count, 2]), shift);
    return tf.concat([tf.sub(centre, half), tf.add(centre, half)], 1) as tf.Tensor2D;
  });
}
