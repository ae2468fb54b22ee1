import type { Rng } from '@as-mlp/base';

/**
 * How a forward pass behaves. Passed down the call, never global.
 * `rng` feeds dropout and stochastic depth and is required when `training` is true and a layer drops.
 */
export interface Mode {
  readonly training: boolean;
  readonly rng?: Rng | undefined;
}

/** The mode of prediction and evaluation: nothing random, running statistics used and not changed. */
export const INFERENCE: Mode = { training: false };
