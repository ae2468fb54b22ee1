import { lrFindVerb, type TrainFlags, type TrainTask, trainVerb } from '@as-mlp/app';
import type { SegmentationBatch } from '@as-mlp/segmentation';
import { presetOf, type RecipeFlags, recipeOptions } from './recipes.ts';

type Flags = TrainFlags & RecipeFlags;

const task: TrainTask<SegmentationBatch, Flags> = {
  addOptions: (command) => void recipeOptions(command),
  preset: presetOf,
  plain: ({ augmentation, ...settings }) => ({
    ...settings,
    dropPathRate: 0,
    augmentation: {
      ...(augmentation as object | undefined),
      ratio: [1, 1],
      maxClassPart: 1,
      flip: 0,
      distortion: null,
    },
  }),
  async prepare(settings, flags, onEvaluation) {
    const { createSegmentationTask, initializeFrom, parseSegmentationRecipe } = await import(
      '@as-mlp/segmentation'
    );
    const recipe = parseSegmentationRecipe(settings);
    const training = createSegmentationTask({ data: flags.data, recipe, onEvaluation });
    const { task, data, model, labels } = training;
    const weights = flags.finetune ?? flags.weights;
    if (weights !== undefined) await initializeFrom(model, weights, labels);
    return { task, data, recipe };
  },
};

/** `train`: the official recipe on label maps, a small set from other weights, or the scenes of `--data digit-scenes`. */
export const train = trainVerb(task);
/** `lr-find`: suggests a learning rate for it. */
export const lrFind = lrFindVerb(task);
