import type { ClassificationRecipeInput } from '../recipe.ts';

/**
 * One to ten thousand photos in a few classes: `as-mlp-nano` from scratch on two cores. Aims at three of four held-out photos right
 * on Imagenette (10 classes, 9,469 photos). A small network that sees few images wants them varied less than a large one: crops
 * of a quarter of the area at least, RandAugment at half its strength, and every other batch mixed.
 *
 *     npm run classify -- train --data imagenette2-160 --recipe small-photos --out runs/imagenette
 */
export const SMALL_PHOTOS_RECIPE = {
  model: 'as-mlp-nano',
  imageSize: 128,
  epochs: 100,
  batchSize: 64,
  lr: 2e-3,
  lrBatch: null,
  schedule: { kind: 'cosine', warmupEpochs: 5, warmupLr: 1e-5, minLr: 1e-5, lag: false },
  augmentation: {
    kind: 'random-resized-crop',
    scale: [0.25, 1],
    randAugment: { magnitude: 5 },
    erasing: { probability: 0.1 },
    mixup: 0.2,
    mixProbability: 0.5,
  },
} as const satisfies ClassificationRecipeInput;
