import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from '../custom-gradient.ts';

const SQRT_HALF = Math.SQRT1_2;
const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

/**
 * Exact GELU, `x·Φ(x) = x/2·(1 + erf(x/√2))` (Hendrycks & Gimpel, 2016), any shape.
 * The given gradient keeps x alone instead of four intermediates.
 */
export function gelu<T extends tf.Tensor>(x: T): T {
  return customGradient<T>([x], {
    value: () => {
      const half = tf.mul(x, 0.5);
      return tf.add<T>(half, tf.mul(half, tf.erf(tf.mul(x, SQRT_HALF))));
    },
    saved: [x],
    gradient: (dy, saved) =>
      tf.tidy(() => {
        const input = saved[0]!;
        const cdf = tf.mul(tf.add(tf.erf(tf.mul(input, SQRT_HALF)), 1), 0.5);
        const density = tf.mul(tf.exp(tf.mul(tf.square(input), -0.5)), INV_SQRT_2PI);
        return [tf.mul(dy, tf.add(cdf, tf.mul(input, density)))];
      }),
  });
}
