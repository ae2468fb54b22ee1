import { AsMlpError } from '@as-mlp/base';
import type { Preprocessing } from './predict/preprocess.ts';
import type { SegmentationRecipeInput } from './recipe.ts';

/** Shift size and stochastic depth in the official configurations. */
const OFFICIAL: Readonly<Record<string, readonly [shift: number, drop: number]>> = {
  'upernet-as-mlp-tiny': [5, 0.3],
  'upernet-as-mlp-small': [3, 0.3],
  'upernet-as-mlp-base': [5, 0.5],
};
/** Networks with an official recipe. */
export const OFFICIAL_MODELS: readonly string[] = Object.keys(OFFICIAL);

/** Side of the official crops in pixels. */
const OFFICIAL_CROP = 512;
const UPDATES = 160_000;
/** Official evaluations are this many updates apart. */
const UPDATES_TO_EVALUATION = 16_000;
const BATCH_SIZE = 16;
/** Training images of ADE20K. */
const ADE20K_IMAGES = 20_210;

/**
 * The official recipe of a published network: 160,000 updates of 16 crops of 512×512, to the nearest whole epoch of `images`
 * training images (ADE20K's unless given).
 *
 * @throws AsMlpError (usage) for a network without one, and for fewer images than one update needs.
 */
export function officialRecipe(model: string, images = ADE20K_IMAGES): SegmentationRecipeInput {
  const settings = OFFICIAL[model];
  if (!settings || images < BATCH_SIZE) {
    throw new AsMlpError('usage', {
      where: model,
      what: settings
        ? `${images} training images are too few for the official recipe`
        : 'there is no official recipe for this model',
      fix: settings
        ? `Give ${BATCH_SIZE} images or more, or start from the recipe for small data sets (finetune)`
        : `There is one for ${OFFICIAL_MODELS.join(', ')}`,
    });
  }
  const [shiftSize, dropPathRate] = settings;
  const updatesPerEpoch = Math.floor(images / BATCH_SIZE);
  return {
    model,
    shiftSize,
    dropPathRate,
    batchSize: BATCH_SIZE,
    epochs: Math.max(1, Math.round(UPDATES / updatesPerEpoch)),
    evalEvery: Math.max(1, Math.round(UPDATES_TO_EVALUATION / updatesPerEpoch)),
    schedule: { kind: 'poly', warmupSteps: 1500, warmupRatio: 1e-6 },
  };
}

/**
 * A small data set of one's own, from weights that were trained on another: four crops of 512×512 an update, a short warm-up,
 * gradients clipped.
 */
export const FINETUNE_RECIPE = {
  epochs: 20,
  batchSize: 4,
  lr: 6e-5,
  lrBatch: null,
  clipNorm: 1,
  evalEvery: 1,
  schedule: { kind: 'poly', warmupSteps: 50, warmupRatio: 1e-3 },
} as const satisfies SegmentationRecipeInput;

/**
 * A recipe for images that are fitted into these pixels, in training and evaluation. Crops are squares of the shorter side, the
 * official 512 at most.
 */
export function atScale(
  recipe: SegmentationRecipeInput,
  { longSide, shortSide }: Pick<Preprocessing, 'longSide' | 'shortSide'>,
): SegmentationRecipeInput {
  return {
    ...recipe,
    cropSize: Math.min(OFFICIAL_CROP, shortSide),
    augmentation: { ...recipe.augmentation, longSide, shortSide },
    testLongSide: longSide,
    testShortSide: shortSide,
  };
}

/**
 * Scenes of handwritten digits, for a network small enough for two cores.
 *
 *     npm run segment -- train --data digit-scenes --weights WEIGHTS --out runs/digit-scenes
 *
 * WEIGHTS are those of the detector of the same scenes (`packages/detection/weights/digit-scenes.safetensors`), whose backbone
 * knows the digits already.
 */
export const DIGIT_SCENES_RECIPE = {
  model: 'upernet-as-mlp-nano',
  widths: { channels: 48, auxiliaryChannels: 48 },
  epochs: 3,
  batchSize: 8,
  lr: 3e-3,
  lrBatch: null,
  clipNorm: 5,
  evalEvery: 1,
  schedule: { kind: 'cosine', warmupEpochs: 0.1, warmupLr: 1e-5, minLr: 1e-5, lag: false },
  dropPathRate: 0,
  cropSize: 160,
  augmentation: {
    longSide: 160,
    shortSide: 160,
    ratio: [1, 1],
    maxClassPart: 1,
    flip: 0,
    distortion: null,
  },
  testLongSide: 160,
  testShortSide: 160,
  logEvery: 20,
  workers: 1,
} as const satisfies SegmentationRecipeInput;
