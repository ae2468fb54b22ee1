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

/** Dropout of whole channels of each sample (Tompson et al., 2015; PyTorch's `Dropout2d`), `[B, H, W, C]`. */
export function channelDropout(x: tf.Tensor4D, rate: number, mode: Mode): tf.Tensor4D {
  if (!mode.training || rate === 0) return x;
  const keep = 1 - rate;
  const uniform = drawUniform(mode, [x.shape[0], 1, 1, x.shape[3]]);
  return tf.mul(x, tf.mul(tf.cast(tf.less(uniform, keep), 'float32'), 1 / keep));
}
