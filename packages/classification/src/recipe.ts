import { loopRecipe, parseRecipe } from '@as-mlp/train';
import { z } from 'zod';
import { augmentationSchema } from './augmentation.ts';

/**
 * Everything that decides how a classifier is trained. Defaults follow the official ImageNet recipe (AdamW, 300 epochs,
 * base rate 5e-4 for 512 images, 20 epochs of warm-up, cosine, weight decay 0.05, clipping at 5, label smoothing 0.1,
 * random resized crops, RandAugment, random erasing, mixup and CutMix).
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

/** A recipe as it is written: what is left out has a default. */
export type ClassificationRecipeInput = z.input<typeof classificationRecipe>;

/**
 * Fills in the defaults of a recipe and checks every value.
 *
 * @throws AsMlpError (usage) that names the wrong value, or an unknown key and the nearest known one.
 */
export function parseClassificationRecipe(values: Readonly<Record<string, unknown>>): ClassificationRecipe {
  return parseRecipe(classificationRecipe, values);
}
