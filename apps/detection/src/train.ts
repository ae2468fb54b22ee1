import { lrFindVerb, type TrainFlags, type TrainTask, trainVerb } from '@as-mlp/app';
import type { DetectionBatch } from '@as-mlp/detection';
import { presetOf, type RecipeFlags, recipeOptions } from './recipes.ts';

type Flags = TrainFlags & RecipeFlags;

const task: TrainTask<DetectionBatch, Flags> = {
  addOptions: (command) => void recipeOptions(command),
  preset: presetOf,
  plain: ({ augmentation, ...settings }) => ({
    ...settings,
    dropPathRate: 0,
    augmentation: { ...(augmentation as object | undefined), flip: 0, crop: 0 },
  }),
  async prepare(settings, flags, onEvaluation) {
    const { createDetectionTask, initializeFrom, parseDetectionRecipe } = await import('@as-mlp/detection');
    const recipe = parseDetectionRecipe(settings);
    const training = await createDetectionTask({ data: flags.data, recipe, onEvaluation });
    const { task, data, model, labels } = training;
    const weights = flags.finetune ?? flags.weights;
    if (weights !== undefined) await initializeFrom(model, weights, labels);
    return { task, data, recipe };
  },
};

/** `train`: the official recipes on COCO data, a small set from other weights, or the scenes of `--data digit-scenes`. */
export const train = trainVerb(task);
/** `lr-find`: suggests a learning rate for it. */
export const lrFind = lrFindVerb(task);
