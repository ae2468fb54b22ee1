import type { ClassificationRecipeInput } from '../recipe.ts';

/**
 * ImageNet-1k: the published top-1 at 224 × 224, 81.3 % with `as-mlp-tiny`, 83.1 % with `as-mlp-small`, 83.3 % with
 * `as-mlp-base`. The defaults of a recipe are the official ones; this adds the 1,024 images of an official update (128 on
 * each of 8 devices), whose gradients are averaged one batch after the other.
 *
 *     npm run classify -- train --data imagenet --recipe imagenet --model as-mlp-tiny --out runs/imagenet
 */
export const IMAGENET_RECIPE = {
  model: 'as-mlp-tiny',
  batchSize: 128,
  accumulate: 8,
} as const satisfies ClassificationRecipeInput;
