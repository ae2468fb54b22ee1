import { AsMlpError, type Rng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import type { Mode } from '../mode.ts';

function randomSource(mode: Mode): Rng {
  if (mode.rng) return mode.rng;
  throw new AsMlpError('usage', {
    what: 'a layer that drops at random was run for training without random numbers',
    fix: 'Pass mode.rng',
  });
}

/**
 * Stochastic depth (Huang et al., 2016), per sample: `x / keep · floor(keep + u)`, u one uniform number for each of
 * the B samples. Identity when not training or `rate` is 0.
 */
export function dropPath<T extends tf.Tensor>(x: T, rate: number, mode: Mode): T {
  if (!mode.training || rate === 0) return x;
  const keep = Math.fround(1 - rate);
  const batch = x.shape[0]!;
  const gates = randomSource(mode)
    .uniform(batch)
    .map((u) => Math.floor(Math.fround(keep + u)) / keep);
  return tf.mul(x, tf.tensor(gates, [batch, ...Array<number>(x.rank - 1).fill(1)])) as T;
}

/** Dropout: each element kept with probability 1 − rate and divided by it. Identity when not training. */
export function dropout<T extends tf.Tensor>(x: T, rate: number, mode: Mode): T {
  if (!mode.training || rate === 0) return x;
  const keep = 1 - rate;
  const gates = randomSource(mode)
    .uniform(x.size)
    .map((u) => (u < keep ? 1 / keep : 0));
  return tf.mul(x, tf.tensor(gates, x.shape)) as T;
}
