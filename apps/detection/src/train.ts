import { type TrainFlags, trainVerb } from '@as-mlp/app';
import type { DetectionBatch } from '@as-mlp/detection';
import { presetOf, type RecipeFlags, recipeOption } from './recipes.ts';

type Flags = TrainFlags & RecipeFlags;

/** `train`: the official recipes on COCO data, a small set from other weights, or the scenes of `--data digit-scenes`. */
export const train = trainVerb<DetectionBatch, Flags>({
  addOptions: (command) => {
    recipeOption(command).option(
      '--finetune <file>',
      'as --weights, with the network of that file and the recipe for small data sets',
    );
  },
  preset: presetOf,
  async prepare(settings, flags, onEvaluation) {
    const { createDetectionTask, initializeFrom, parseDetectionRecipe } = await import('@as-mlp/detection');
    const recipe = parseDetectionRecipe(settings);
    const task = await createDetectionTask({ data: flags.data, recipe, onEvaluation });
    const weights = flags.finetune ?? flags.weights;
    if (weights !== undefined) await initializeFrom(task.model, weights);
    return { task, recipe };
  },
});
