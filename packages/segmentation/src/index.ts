export type { WeightSource } from '@as-mlp/train';
export { ADE20K_CLASSES, ADE20K_PALETTE, isAde20k } from './ade20k.ts';
export { checkSegmentationData } from './check-data.ts';
export {
  MODEL_NAMES,
  modelName,
  PUBLISHED_WIDTHS,
  type SegmentationConfig,
  segmentationConfig,
} from './config.ts';
export { type ClassList, readClassList } from './data/class-list.ts';
export { compareClasses } from './data/class-names.ts';
export { DIGIT_SCENES, openScenes, SCENE_PALETTE, sceneLabelMap, sceneLabels } from './data/digit-scenes.ts';
export { type Example, type ExampleOptions, type ExampleSource, openExamples } from './data/examples.ts';
export { reduceZeroLabel } from './data/reduce-zero-label.ts';
export {
  openSegmentationFolder,
  type SegmentationFolder,
  type Split,
  VOC_CLASSES,
} from './data/segmentation-folder.ts';
export { type VariedExample, type VariedExamplesOptions, variedExamples } from './data/varied-examples.ts';
export {
  evaluateSegmenter,
  type SegmentationEvaluation,
  type SegmentationEvaluationOptions,
} from './evaluate.ts';
export { type ExportablePart, type ExportableSegmenter, segmenterForExport } from './export.ts';
export { finetuneRecipe } from './finetune.ts';
export type { FcnHead } from './heads/fcn-head.ts';
export type { UperHead } from './heads/uper-head.ts';
export { type InferredSegmenter, inferSegmenter, isBackboneFile } from './infer.ts';
export { initializeFrom } from './initialize.ts';
export { IGNORED, ignoredIndex } from './labels.ts';
export { inspectSegmenter, loadSegmenter } from './load.ts';
export { encodeMetadata } from './metadata.ts';
export {
  addToConfusion,
  assertLabels,
  type Confusion,
  type ConfusionOptions,
  createConfusion,
} from './metrics/confusion.ts';
export { type ClassMetrics, type SegmentationMetrics, segmentationMetrics } from './metrics/metrics.ts';
export { type ScoreFoldersOptions, scoreFolders } from './metrics/score-folders.ts';
export { createSegmentationModel, SegmentationModel, type SegmentationOutputs } from './model.ts';
export { labelsFor, paletteFor } from './names.ts';
export { ADE20K_PREPROCESSING, normalizePixels, type Preprocessing } from './predict/preprocess.ts';
export {
  atScale,
  DIGIT_SCENES_RECIPE,
  FINETUNE_RECIPE,
  OFFICIAL_MODELS,
  officialRecipe,
} from './presets.ts';
export { PRETRAINED } from './pretrained.ts';
export {
  parseSegmentationRecipe,
  type SegmentationRecipe,
  type SegmentationRecipeInput,
  segmentationRecipe,
} from './recipe.ts';
export { type SegmentationSource, segmentationSamples } from './samples.ts';
export { createSegmentationTimer, type SegmentationTimer, TIMED } from './segmentation-timer.ts';
export {
  type CreateSegmenterOptions,
  createSegmenter,
  inspectWeights,
  OFFICIAL_SCALES,
  type Segmentation,
  type SegmentationFile,
  type SegmentedClass,
  type Segmenter,
  type SegmenterOptions,
  type SegmentOptions,
  segmenterFromWeights,
} from './segmenter.ts';
export {
  createSegmentationTask,
  type SegmentationBatch,
  type SegmentationTaskOptions,
  type SegmentationTraining,
} from './task.ts';
export { augmentExample, flipExample, type SegmentationAugmentation } from './training/augment.ts';
export { type Distortion, type DistortionLimits, distort, drawDistortion } from './training/distort.ts';
export {
  type SegmentationLosses,
  type SegmentationLossOptions,
  segmentationLosses,
} from './training/losses.ts';
