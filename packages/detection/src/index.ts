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
export type { BoxHead, BoxOutput } from './heads/box-head.ts';
export type { FeaturePyramid } from './heads/feature-pyramid.ts';
export type { MaskHead } from './heads/mask-head.ts';
export type { RpnHead, RpnOutput } from './heads/rpn-head.ts';
export { createDetectionModel, DetectionModel } from './model.ts';
export { roiLevels } from './roi/levels.ts';
export { type HostMap, ROI_NUMBERS, roiAlign, roiAlignGradient, toRois } from './roi/roi-align.ts';
export { roiAlignOp } from './roi/roi-align-op.ts';
