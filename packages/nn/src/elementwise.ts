import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';

// The engine's gradients of abs, maximum and minimum differ from PyTorch's where the function has a kink: −1 for
// |0|, and everything to the first operand when both are equal. A box that coincides with its target sits there.

/** Elementwise |x|, gradient 0 at 0. */
export function abs<T extends tf.Tensor>(x: T): T {
  return customGradient<T>([x], {
    value: () => tf.abs(x),
    saved: [x],
    gradient: (dy, [input]) => [tf.mul(dy, tf.sign(input!))],
  });
}

/** Elementwise maximum of two tensors of one shape; equal elements share the gradient. */
export function maximum<T extends tf.Tensor>(a: T, b: T): T {
  return customGradient<T>([a, b], {
    value: () => tf.maximum(a, b) as T,
    saved: [a, b],
    gradient: (dy, [x, y]) => shares(dy, tf.sign(tf.sub(x!, y!))),
  });
}

/** Elementwise minimum of two tensors of one shape; equal elements share the gradient. */
export function minimum<T extends tf.Tensor>(a: T, b: T): T {
  return customGradient<T>([a, b], {
    value: () => tf.minimum(a, b) as T,
    saved: [a, b],
    gradient: (dy, [x, y]) => shares(dy, tf.sign(tf.sub(y!, x!))),
  });
}

/** Elementwise max(x, limit); the gradient passes where x ≥ limit, as in PyTorch's `clamp`. */
export function clampMin<T extends tf.Tensor>(x: T, limit: number): T {
  return customGradient<T>([x], {
    value: () => tf.maximum(x, limit) as T,
    saved: [x],
    gradient: (dy, [input]) => [tf.mul(dy, tf.cast(tf.greaterEqual(input!, limit), 'float32'))],
  });
}

/** `dy` to the first operand where `lead` is 1, to the second where it is −1, half to each where it is 0. */
function shares(dy: tf.Tensor, lead: tf.Tensor): tf.Tensor[] {
  const half = tf.mul(dy, 0.5);
  const difference = tf.mul(half, lead);
  return [tf.add(half, difference), tf.sub(half, difference)];
}
