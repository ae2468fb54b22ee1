export type { WeightSource } from '@as-mlp/train';
export { ANCHORS_PER_CELL, anchors, validAnchors } from './boxes/anchors.ts';
export { type Box, boxArea } from './boxes/box.ts';
export { type DecodeOptions, decodeBoxes, encodeBoxes } from './boxes/coder.ts';
export { bestFirst, type NmsOptions, nonMaximumSuppression } from './boxes/nms.ts';
export { checkDetectionData } from './check-data.ts';
export { type CocoAnnotations, CocoDataset, type CocoImage } from './coco/coco-dataset.ts';
export { type CocoEvalOptions, type CocoEvaluation, evaluateCoco } from './coco/coco-eval.ts';
export {
  type ClassMetrics,
  type CocoMetrics,
  type DetectionMetrics,
  precisionCurve,
  summarizeClasses,
  summarizeCoco,
} from './coco/coco-metrics.ts';
export {
  type CocoResult,
  loadResults,
  toResults,
  writeResults,
} from './coco/coco-results.ts';
export { DetectionCollector, type Detections, type ImageDetections } from './coco/detections.ts';
export type { IouType } from './coco/match-class.ts';
export { type CocoOptions, openCoco, parseCoco } from './coco/open-coco.ts';
export { boxRle, polygonRle } from './coco/polygon.ts';
export {
  compressCounts,
  decodeMask,
  decompressCounts,
  encodeMask,
  type Rle,
  type RleJson,
  rleArea,
  rleBox,
  rleFromJson,
  rleToJson,
} from './coco/rle.ts';
export { mergeRles, rleIou, xywhIou } from './coco/rle-overlap.ts';
export { reportCoco, type ScoreOptions, scoreCoco, scoreDetections } from './coco/score-coco.ts';
export { AREA_NAMES, AREA_RANGES, IOU_THRESHOLDS, RECALL_THRESHOLDS } from './coco/thresholds.ts';
export { type TrainingObjects, trainingImages, trainingObjects } from './coco/training-objects.ts';
export {
  type Architecture,
  BOX_CELLS,
  BOX_STAGES,
  type DetectionConfig,
  detectionConfig,
  type HeadWidths,
  MASK_CELLS,
  MASK_SIZE,
  MODEL_NAMES,
  modelName,
  PUBLISHED_WIDTHS,
} from './config.ts';
export { type CocoFolder, findCocoFolder } from './data/coco-folder.ts';
export { DIGIT_SCENES, openScenes, scenesToCoco, writeDigitScenes } from './data/digit-scenes.ts';
export {
  type ExampleSource,
  type HeldOut,
  type HeldOutOptions,
  openExamples,
  openHeldOut,
} from './data/examples.ts';
export {
  type VariedExample,
  type VariedExamplesOptions,
  variedExamples,
  wholeMask,
} from './data/varied-examples.ts';
export { createDetectionTimer, type DetectionTimer, TIMED } from './detection-timer.ts';
export {
  type CreateDetectorOptions,
  createDetector,
  type Detection,
  type DetectionFile,
  type DetectOptions,
  type Detector,
  type DetectorOptions,
  detectorFromWeights,
  type ImageResult,
  inspectWeights,
} from './detector.ts';
export { type DetectionEvaluation, type DetectionEvaluationOptions, evaluateDetector } from './evaluate.ts';
export { detectorForExport, type ExportableDetector, type ExportablePart } from './export.ts';
export { finetuneRecipe } from './finetune.ts';
export type { BoxHead, BoxOutput } from './heads/box-head.ts';
export type { FeaturePyramid } from './heads/feature-pyramid.ts';
export type { MaskHead } from './heads/mask-head.ts';
export type { RpnHead, RpnOutput } from './heads/rpn-head.ts';
export { type InferredDetector, inferDetector } from './infer.ts';
export { initializeFrom } from './initialize.ts';
export { COCO_CLASSES } from './labels.ts';
export { inspectDetector, loadDetector } from './load.ts';
export { encodeMetadata } from './metadata.ts';
export { createDetectionModel, DetectionModel } from './model.ts';
export {
  chooseDetections,
  type DetectedBoxes,
  type DetectionOptions,
  OFFICIAL_DETECTIONS,
  type RegionScores,
  refineRegions,
} from './predict/choose-detections.ts';
export type { CocoMask, DetectedObjects } from './predict/detect.ts';
export { boxPart, countedParts, densePart, maskPart } from './predict/parts.ts';
export { pasteMask } from './predict/paste.ts';
export {
  COCO_PREPROCESSING,
  canvasSize,
  normalizeOnto,
  type PreparedImage,
  type Preprocessing,
  prepareImage,
} from './predict/preprocess.ts';
export {
  chooseProposals,
  PREDICTION_PROPOSALS,
  type ProposalOptions,
  type Proposals,
  type RpnLevel,
} from './predict/proposals.ts';
export {
  atScale,
  DIGIT_SCENES_RECIPE,
  FINETUNE_RECIPE,
  OFFICIAL_MODELS,
  officialRecipe,
} from './presets.ts';
export { PRETRAINED } from './pretrained.ts';
export {
  type DetectionRecipe,
  type DetectionRecipeInput,
  detectionRecipe,
  parseDetectionRecipe,
} from './recipe.ts';
export { roiLevels } from './roi/levels.ts';
export { type HostMap, ROI_NUMBERS, roiAlign, roiAlignGradient, toRois } from './roi/roi-align.ts';
export { roiAlignOp } from './roi/roi-align-op.ts';
export { type DetectionSample, type DetectionSource, detectionSamples } from './samples.ts';
export { createDetectionTask, type DetectionTaskOptions, type DetectionTraining } from './task.ts';
export { type AssignerSettings, assign } from './training/assign.ts';
export { augmentExample, type DetectionAugmentation } from './training/augment.ts';
export type { DetectionBatch } from './training/batch.ts';
export { type Choose, chooseRandom, type SamplerSettings } from './training/choose.ts';
export type { Example } from './training/example.ts';
export { type DetectionHostOptions, detectionHost } from './training/host-part.ts';
export { detectionLosses } from './training/losses.ts';
export { type Bitmap, maskTarget } from './training/mask-targets.ts';
export type { DetectionTargets } from './training/roi-targets.ts';
export type { ImageExtent, RpnTargetSettings } from './training/rpn-targets.ts';
export { type StageSettings, TRAINING, type TrainingSettings } from './training/settings.ts';
