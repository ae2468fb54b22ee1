import { type TrainFlags, trainVerb } from '@as-mlp/app';
import type { SegmentationBatch } from '@as-mlp/segmentation';
import { presetOf, type RecipeFlags, recipeOption } from './recipes.ts';

type Flags = TrainFlags & RecipeFlags;

/** `train`: the official recipe on label maps, a small set from other weights, or the scenes of `--data digit-scenes`. */
export const train = trainVerb<SegmentationBatch, Flags>({
  addOptions: (command) => {
    recipeOption(command).option(
      '--finetune <file>',
      'as --weights, with the network of that file and the recipe for small data sets',
    );
  },
  preset: presetOf,
  async prepare(settings, flags, onEvaluation) {
    const { createSegmentationTask, initializeFrom, parseSegmentationRecipe } = await import(
      '@as-mlp/segmentation'
    );
    const recipe = parseSegmentationRecipe(settings);
    const task = createSegmentationTask({ data: flags.data, recipe, onEvaluation });
    const weights = flags.finetune ?? flags.weights;
    if (weights !== undefined) await initializeFrom(task.model, weights, task.labels);
    return { task, recipe };
  },
});
