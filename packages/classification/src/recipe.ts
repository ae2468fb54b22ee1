import { loopRecipe, parseRecipe } from '@as-mlp/train';
import { z } from 'zod';

const range = z.tuple([z.number().positive(), z.number().positive()]);

const augmentationSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('random-resized-crop').default('random-resized-crop'),
    scale: range.default([0.08, 1]),
    ratio: range.default([3 / 4, 4 / 3]),
    flip: z.number().min(0).max(1).default(0.5),
  }),
  z.strictObject({
    kind: z.literal('shift'),
    pixels: z.number().int().nonnegative().default(2),
    flip: z.number().min(0).max(1).default(0),
  }),
]);

/**
 * Everything that decides how a classifier is trained. Defaults follow the official ImageNet recipe (AdamW, 300 epochs,
 * base rate 5e-4 for 512 images, 20 epochs of warm-up, cosine, weight decay 0.05, clipping at 5, label smoothing 0.1)
 * with random resized crops and mirroring as the only augmentation.
 */
export const classificationRecipe = loopRecipe.extend({
  /** Architecture, e.g. `as-mlp-tiny`. */
  model: z.string().default('as-mlp-tiny'),
  /** Side of the network's input in pixels. */
  imageSize: z.number().int().positive().default(224),
  /** Evaluation: the short side is resized to ⌊imageSize / cropFraction⌋ before the centre crop. */
  cropFraction: z.number().positive().max(1).default(0.875),
  /** Stochastic depth of the last block; the architecture's own unless given. */
  dropPathRate: z.number().min(0).lt(1).nullable().default(null),
  labelSmoothing: z.number().min(0).lt(1).default(0.1),
  augmentation: augmentationSchema.prefault({}),
  /** Threads that decode and augment; chosen by the machine unless given. */
  workers: z.number().int().nonnegative().nullable().default(null),
});

/** A resolved recipe. */
export type ClassificationRecipe = z.infer<typeof classificationRecipe>;

/**
 * Fills in the defaults of a recipe and checks every value.
 *
 * @throws AsMlpError (usage) that names the wrong value, or an unknown key and the nearest known one.
 */
export function parseClassificationRecipe(values: Readonly<Record<string, unknown>>): ClassificationRecipe {
  return parseRecipe(classificationRecipe, values);
}

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
} as const;
