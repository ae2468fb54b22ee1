import * as tf from '@tensorflow/tfjs-core';
import { drawUniform, type Mode } from '../mode.ts';

/**
 * Stochastic depth (Huang et al., 2016), per sample: `x · floor(keep + u) / keep`, u one uniform number for each of
 * the B samples. Identity when not training or `rate` is 0.
 */
export function dropPath<T extends tf.Tensor>(x: T, rate: number, mode: Mode): T {
  if (!mode.training || rate === 0) return x;
  const keep = Math.fround(1 - rate);
  const uniform = drawUniform(mode, [x.shape[0]!, ...Array<number>(x.rank - 1).fill(1)]);
  return tf.mul(x, tf.div(tf.floor(tf.add(uniform, keep)), keep)) as T;
}

/** Dropout: each element kept with probability 1 − rate and divided by it. Identity when not training. */
export function dropout<T extends tf.Tensor>(x: T, rate: number, mode: Mode): T {
  if (!mode.training || rate === 0) return x;
  const keep = 1 - rate;
  const isKept = tf.cast(tf.less(drawUniform(mode, x.shape), keep), 'float32');
  return tf.mul(x, tf.mul(isKept, 1 / keep)) as T;
}
