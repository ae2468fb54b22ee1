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
export { IGNORED } from './labels.ts';
export { createSegmentationModel, SegmentationModel, type SegmentationOutputs } from './model.ts';
