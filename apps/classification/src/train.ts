import { lrFindVerb, type TrainFlags, type TrainTask, trainVerb } from '@as-mlp/app';
import type { ClassificationBatch } from '@as-mlp/classification';
import { presetOf, type RecipeFlags, recipeOption } from './recipes.ts';

type Flags = TrainFlags & RecipeFlags;

const task: TrainTask<ClassificationBatch, Flags> = {
  addOptions: recipeOption,
  preset: presetOf,
  plain: (settings) => ({
    ...settings,
    labelSmoothing: 0,
    dropPathRate: 0,
    augmentation: { kind: 'shift', pixels: 0, flip: 0 },
  }),
  async prepare(settings, flags, onEvaluation) {
    const { createClassificationTask, initializeFrom, parseClassificationRecipe } = await import(
      '@as-mlp/classification'
    );
    const recipe = parseClassificationRecipe(settings);
    const { task, data, model } = createClassificationTask({ data: flags.data, recipe, onEvaluation });
    if (flags.weights !== undefined) await initializeFrom(model, flags.weights);
    return { task, data, recipe };
  },
};

/** `train`: the ImageNet recipe, one for small sets of photos, or for the digits of `--data mnist` one that takes minutes. */
export const train = trainVerb(task);
/** `lr-find`: suggests a learning rate for it. */
export const lrFind = lrFindVerb(task);
