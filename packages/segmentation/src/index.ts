export {
  MODEL_NAMES,
  modelName,
  PUBLISHED_WIDTHS,
  type SegmentationConfig,
  segmentationConfig,
} from './config.ts';
export type { FcnHead } from './heads/fcn-head.ts';
export type { UperHead } from './heads/uper-head.ts';
export { type InferredSegmenter, inferSegmenter } from './infer.ts';
export { initializeFrom } from './initialize.ts';
export { IGNORED } from './labels.ts';
export { inspectSegmenter, loadSegmenter, type WeightSource } from './load.ts';
export { encodeMetadata } from './metadata.ts';
export { createSegmentationModel, SegmentationModel, type SegmentationOutputs } from './model.ts';
export { labelsFor, paletteFor } from './names.ts';
export { ADE20K_PREPROCESSING, normalizePixels, type Preprocessing } from './predict/preprocess.ts';
export {
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
