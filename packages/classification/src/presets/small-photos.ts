import type { ClassificationRecipeInput } from '../recipe.ts';

/**
 * Some thousands of photos in a few classes, e.g. the 9,469 of Imagenette: `as-mlp-nano` from scratch on two cores in about an
 * hour. A small network that sees few images wants them varied less than a large one: crops of a quarter of the area at least,
 * RandAugment at half its strength, and every other batch mixed.
 *
 *     npm run classify -- train --data imagenette2-160 --recipe small-photos --out runs/imagenette
 */
export const SMALL_PHOTOS_RECIPE = {
  model: 'as-mlp-nano',
  imageSize: 128,
  epochs: 40,
  batchSize: 64,
  lr: 2e-3,
  lrBatch: null,
  schedule: { kind: 'cosine', warmupEpochs: 3, warmupLr: 1e-5, minLr: 1e-5, lag: false },
  augmentation: {
    kind: 'random-resized-crop',
    scale: [0.25, 1],
    randAugment: { magnitude: 5 },
    erasing: { probability: 0.1 },
    mixup: 0.2,
    mixProbability: 0.5,
  },
} as const satisfies ClassificationRecipeInput;
