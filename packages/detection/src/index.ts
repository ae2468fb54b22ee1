export { ANCHORS_PER_CELL, anchors, validAnchors } from './boxes/anchors.ts';
export { type Box, boxArea } from './boxes/box.ts';
export { type DecodeOptions, decodeBoxes, encodeBoxes } from './boxes/coder.ts';
export { bestFirst, type NmsOptions, nonMaximumSuppression } from './boxes/nms.ts';
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
export {
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
export type { BoxHead, BoxOutput } from './heads/box-head.ts';
export type { FeaturePyramid } from './heads/feature-pyramid.ts';
export type { MaskHead } from './heads/mask-head.ts';
export type { RpnHead, RpnOutput } from './heads/rpn-head.ts';
export { type InferredDetector, inferDetector } from './infer.ts';
export { initializeFrom } from './initialize.ts';
export { COCO_CLASSES } from './labels.ts';
export { inspectDetector, loadDetector, type WeightSource } from './load.ts';
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
export { pasteMask } from './predict/paste.ts';
export {
  COCO_PREPROCESSING,
  canvasSize,
  fittedSize,
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
export { roiLevels } from './roi/levels.ts';
export { type HostMap, ROI_NUMBERS, roiAlign, roiAlignGradient, toRois } from './roi/roi-align.ts';
export { roiAlignOp } from './roi/roi-align-op.ts';
