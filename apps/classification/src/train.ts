import { type TrainFlags, trainVerb } from '@as-mlp/app';
import type { ClassificationBatch } from '@as-mlp/classification';
import { presetOf, type RecipeFlags, recipeOption } from './recipes.ts';

type Flags = TrainFlags & RecipeFlags;

/** `train`: the ImageNet recipe, one for small sets of photos, or for the digits of `--data mnist` one that takes minutes. */
export const train = trainVerb<ClassificationBatch, Flags>({
  addOptions: recipeOption,
  preset: presetOf,
  async prepare(settings, flags, onEvaluation) {
    const { createClassificationTask, initializeFrom, parseClassificationRecipe } = await import(
      '@as-mlp/classification'
    );
    const recipe = parseClassificationRecipe(settings);
    const task = createClassificationTask({ data: flags.data, recipe, onEvaluation });
    if (flags.weights !== undefined) await initializeFrom(task.model, flags.weights);
    return { task, recipe };
  },
});
