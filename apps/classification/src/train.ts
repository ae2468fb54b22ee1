import { type TrainFlags, trainVerb } from '@as-mlp/app';
import type { ClassificationBatch } from '@as-mlp/classification';

/** `train`: the ImageNet recipe, or for the digits of `--data mnist` one that takes minutes. */
export const train = trainVerb<ClassificationBatch, TrainFlags>({
  async preset({ data }) {
    const { DIGITS_RECIPE } = await import('@as-mlp/classification');
    return data === 'mnist' ? { ...DIGITS_RECIPE } : {};
  },
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
