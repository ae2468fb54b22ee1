import { AsMlpError, type Rng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';

/**
 * How a forward pass behaves. Passed down the call, never global.
 * `rng` feeds dropout and stochastic depth and is required when `training` is true and a layer drops.
 */
export interface Mode {
  readonly training: boolean;
  readonly rng?: Rng | undefined;
  /** Takes the place of `rng` where a step is recorded: uniform numbers in [0, 1) of a shape, new ones in every run. */
  readonly draw?: ((shape: readonly number[]) => tf.Tensor) | undefined;
  /**
   * Where a loss has a host part: shows it the values of tensors and gives its answer as tensors, without gradients. The
   * questions of a loss are always the same, in the same order.
   */
  readonly ask?: ((values: readonly tf.Tensor[]) => tf.Tensor[]) | undefined;
}

/** The mode of prediction and evaluation: nothing random, running statistics used and not changed. */
export const INFERENCE: Mode = { training: false };

/**
 * Uniform numbers in [0, 1) as a tensor.
 *
 * @throws AsMlpError (usage) when the mode has no source of random numbers.
 */
export function drawUniform({ draw, rng }: Mode, shape: readonly number[]): tf.Tensor {
  if (draw) return draw(shape);
  if (rng) return tf.tensor(rng.uniform(tf.util.sizeFromShape([...shape])), [...shape]);
  throw new AsMlpError('usage', {
    what: 'a layer that drops at random was run for training without random numbers',
    fix: 'Pass mode.rng',
  });
}
