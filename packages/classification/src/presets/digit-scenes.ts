import type { ClassificationRecipeInput } from '../recipe.ts';

/**
 * Single digits anywhere in textured pictures, for the backbones of the demos of detection and segmentation; from the weights for
 * MNIST, whose digits fill their pictures.
 *
 *     npm run classify -- train --data digit-scenes --weights packages/classification/weights/as-mlp-nano-digits.safetensors --out runs/single
 */
export const DIGIT_SCENES_RECIPE = {
  model: 'as-mlp-nano',
  imageSize: 64,
  cropFraction: 1,
  epochs: 4,
  batchSize: 128,
  lr: 3e-3,
  lrBatch: null,
  schedule: { kind: 'cosine', warmupEpochs: 0.5, warmupLr: 1e-5, minLr: 1e-5, lag: false },
  augmentation: { kind: 'shift', pixels: 2, flip: 0 },
} as const satisfies ClassificationRecipeInput;
