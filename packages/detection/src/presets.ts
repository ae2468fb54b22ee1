import { AsMlpError } from '@as-mlp/base';
import type { Preprocessing } from './predict/preprocess.ts';
import { type DetectionRecipeInput, OFFICIAL_SHORT_SIDES } from './recipe.ts';

/** Epochs of the official schedules and when the rate falls. */
const SCHEDULES = {
  '1x': { epochs: 12, milestones: [8, 11] },
  '3x': { epochs: 36, milestones: [27, 33] },
} as const;

/** Shift size and stochastic depth in the official configurations, which differ between schedules. */
const OFFICIAL: Readonly<
  Record<string, Record<keyof typeof SCHEDULES, readonly [shift: number, drop: number]>>
> = {
  'mask-rcnn-as-mlp-tiny': { '1x': [5, 0.2], '3x': [5, 0.2] },
  'mask-rcnn-as-mlp-small': { '1x': [5, 0.2], '3x': [3, 0.2] },
  'cascade-mask-rcnn-as-mlp-tiny': { '1x': [5, 0.1], '3x': [3, 0.2] },
  // The official 1x file builds the tiny backbone; the published number of parameters is that of the small one.
  'cascade-mask-rcnn-as-mlp-small': { '1x': [5, 0.1], '3x': [3, 0.2] },
  'cascade-mask-rcnn-as-mlp-base': { '1x': [5, 0.2], '3x': [5, 0.3] },
};

/** Names of the published detectors. */
export const OFFICIAL_MODELS: readonly string[] = Object.keys(OFFICIAL);

/**
 * The official recipe of a published detector: 12 epochs (1x) or 36 (3x) on COCO, 16 images an update.
 *
 * @throws AsMlpError (usage) for a model without one.
 */
export function officialRecipe(model: string, schedule: keyof typeof SCHEDULES): DetectionRecipeInput {
  const settings = OFFICIAL[model];
  if (!settings) {
    throw new AsMlpError('usage', {
      where: model,
      what: 'there is no official recipe for this model',
      fix: `There is one for ${OFFICIAL_MODELS.join(', ')}`,
    });
  }
  const [shiftSize, dropPathRate] = settings[schedule];
  const { epochs, milestones } = SCHEDULES[schedule];
  return {
    model,
    shiftSize,
    dropPathRate,
    epochs,
    schedule: { kind: 'multi-step', milestones: [...milestones], warmupSteps: 4000 },
  };
}

/**
 * A small data set of one's own, from weights that were trained on another: half the official rate, batches of two images,
 * gradients clipped, images of one scale.
 */
export const FINETUNE_RECIPE = {
  epochs: 12,
  batchSize: 2,
  accumulate: 1,
  lr: 5e-5,
  lrBatch: null,
  clipNorm: 1,
  schedule: { kind: 'multi-step', milestones: [8, 11], warmupSteps: 100 },
  augmentation: { flip: 0.5, crop: 0, shortSides: [640, 672, 704, 736, 768, 800] },
} as const satisfies DetectionRecipeInput;

/**
 * A recipe for images that are fitted into these pixels in evaluation. In training the shorter sides keep their proportions to
 * the greatest of them, which becomes `shortSide`.
 */
export function atScale(
  recipe: DetectionRecipeInput,
  { longSide, shortSide }: Pick<Preprocessing, 'longSide' | 'shortSide'>,
): DetectionRecipeInput {
  const sides = recipe.augmentation?.shortSides ?? OFFICIAL_SHORT_SIDES;
  const most = Math.max(...sides);
  const shortSides = sides.map((side) => Math.round((side * shortSide) / most));
  return {
    ...recipe,
    augmentation: { ...recipe.augmentation, shortSides, longSide },
    testShortSide: shortSide,
    testLongSide: longSide,
  };
}

/**
 * Scenes of handwritten digits, for a detector that is trained in minutes on two cores.
 *
 *     npm run detect -- train --data digit-scenes --weights BACKBONE --out runs/digit-scenes
 *
 * BACKBONE is what `classify train --data digit-scenes` leaves: one that tells single digits apart already.
 */
export const DIGIT_SCENES_RECIPE = {
  model: 'mask-rcnn-as-mlp-nano',
  widths: { channels: 48, rpnChannels: 32, boxFcChannels: 128, maskConvs: 3, maskChannels: 32 },
  epochs: 6,
  batchSize: 8,
  accumulate: 1,
  lr: 2e-3,
  lrBatch: null,
  clipNorm: 5,
  schedule: { kind: 'cosine', warmupEpochs: 0.2, warmupLr: 1e-5, minLr: 1e-5, lag: false },
  dropPathRate: 0,
  augmentation: { flip: 0, crop: 0, shortSides: [160], longSide: 160 },
  testShortSide: 160,
  testLongSide: 160,
  rpnSamples: 64,
  roiSamples: 48,
  proposalsPerLevel: 200,
  proposals: 150,
  logEvery: 20,
  workers: 1,
} as const satisfies DetectionRecipeInput;
