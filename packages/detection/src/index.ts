export { type Box, boxArea } from './boxes.ts';
export {
  type CocoAnnotations,
  CocoDataset,
  type CocoImage,
} from './coco/coco-dataset.ts';
export { type CocoEvalOptions, type CocoEvaluation, evaluateCoco } from './coco/coco-eval.ts';
export {
  type ClassMetrics,
  type CocoMetrics,
  type DetectionMetrics,
  precisionCurve,
  summarizeClasses,
  summarizeCoco,
} from './coco/coco-metrics.ts';
export { type CocoResult, loadResults, toResults, writeResults } from './coco/coco-results.ts';
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
