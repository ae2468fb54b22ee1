export { backboneName as modelName } from '@as-mlp/backbone';
export type { WeightSource } from '@as-mlp/train';
export { augment, trainingValues } from './augment.ts';
export { type Augmentation, augmentationSchema } from './augmentation.ts';
export { checkClassificationData } from './check-data.ts';
export {
  type ClassificationFile,
  type Classifier,
  type ClassifierOptions,
  classifierFromWeights,
  createClassifier,
  inspectWeights,
  type Prediction,
} from './classifier.ts';
export { type DatasetOptions, type ImageDataset, openDataset } from './dataset.ts';
export { DIGIT_SCENES } from './digit-scenes.ts';
export { type Evaluation, type EvaluationOptions, evaluateClassifier } from './evaluate.ts';
export { classifierForExport, type ExportableClassifier } from './export.ts';
export { createForwardTimer, type ForwardTimer } from './forward-timer.ts';
export { initializeFrom } from './initialize.ts';
export { IMAGENET_1K, labelsFor, type Synset } from './labels.ts';
export { inspectClassifier, loadClassifier } from './load.ts';
export { encodeMetadata } from './metadata.ts';
export {
  ClassificationEvaluator,
  type ClassificationMetrics,
  type ScoredBatch,
  softmax,
  topK,
} from './metrics.ts';
export { drawMix, type Mix, type MixingOptions, mixImages, mixTargets } from './mixing.ts';
export {
  type ClassificationConfig,
  ClassificationModel,
  createClassificationModel,
  MODEL_NAMES,
} from './model.ts';
export {
  evaluationBatch,
  evaluationCrop,
  IMAGENET_PREPROCESSING,
  type Preprocessing,
} from './preprocess.ts';
export { DIGIT_SCENES_RECIPE } from './presets/digit-scenes.ts';
export { DIGITS_RECIPE } from './presets/digits.ts';
export { IMAGENET_RECIPE } from './presets/imagenet.ts';
export { SMALL_PHOTOS_RECIPE } from './presets/small-photos.ts';
export { PRETRAINED } from './pretrained.ts';
export {
  type ClassificationRecipe,
  type ClassificationRecipeInput,
  classificationRecipe,
  parseClassificationRecipe,
} from './recipe.ts';
export { classificationSamples, type SampleSource } from './samples.ts';
export {
  type ClassificationBatch,
  type ClassificationTaskOptions,
  type ClassificationTraining,
  createClassificationTask,
} from './task.ts';
