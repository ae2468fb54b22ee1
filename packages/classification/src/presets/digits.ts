import type { ClassificationRecipeInput } from '../recipe.ts';

/**
 * Digits: 99 % top-1 on the 10,000 test digits of MNIST with `as-mlp-nano`, in two to three minutes on two cores. The
 * weights that come with this package (`PRETRAINED.digits`) took 12 epochs.
 *
 *     npm run classify -- train --data mnist --out runs/digits [--epochs 12]
 */
export const DIGITS_RECIPE = {
  model: 'as-mlp-nano',
  imageSize: 32,
  cropFraction: 1,
  epochs: 6,
  batchSize: 256,
  lr: 4e-3,
  lrBatch: null,
  schedule: { kind: 'cosine', warmupEpochs: 0.5, warmupLr: 1e-5, minLr: 1e-5, lag: false },
  augmentation: { kind: 'shift', pixels: 2, flip: 0 },
} as const satisfies ClassificationRecipeInput;
