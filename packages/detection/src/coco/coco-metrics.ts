import { AsMlpError } from '@as-mlp/base';
import type { CocoEvaluation } from './coco-eval.ts';
import { AREA_NAMES, IOU_THRESHOLDS } from './thresholds.ts';

/**
 * The twelve figures of COCO, fractions in [0, 1], −1 where there is no object to find. AP: mean precision over IoU 0.50 … 0.95,
 * 101 recalls and the classes that have objects; AR: mean recall over IoU and classes.
 */
export interface CocoMetrics {
  readonly AP: number;
  /** At IoU 0.50. */
  readonly AP50: number;
  /** At IoU 0.75. */
  readonly AP75: number;
  /** Areas up to 32². */
  readonly APs: number;
  /** Areas from 32² to 96². */
  readonly APm: number;
  /** Areas from 96². */
  readonly APl: number;
  /** With one detection an image and class. */
  readonly AR1: number;
  readonly AR10: number;
  readonly AR100: number;
  readonly ARs: number;
  readonly ARm: number;
  readonly ARl: number;
}

/** Figures of one class, at 100 detections an image; −1 where it has no object. */
export interface ClassMetrics {
  readonly label: string;
  /** Category id of the file. */
  readonly id: number;
  readonly bboxAP?: number;
  readonly bboxAP50?: number;
  readonly bboxAR?: number;
  readonly segmAP?: number;
  readonly segmAP50?: number;
  readonly segmAR?: number;
}

/** What a detection evaluation reports; `bbox` and `segm` where they were evaluated. */
export interface DetectionMetrics {
  readonly bbox?: CocoMetrics;
  readonly segm?: CocoMetrics;
  /** In the order of the category ids. */
  readonly perClass: readonly ClassMetrics[];
}

/** A part of an evaluation to average over; all of a dimension where it is left out. */
interface Slice {
  /** Index of an IoU threshold. */
  readonly iou?: number;
  /** Index of a class. */
  readonly k?: number;
  readonly area?: (typeof AREA_NAMES)[number];
  /** Index into the numbers of detections; the last unless given. */
  readonly max?: number;
}

/** Mean of the entries above −1 of an array whose dimensions are T, R, K, A, M; −1 where there is none. */
function meanOf(
  values: Float64Array,
  [T, R, K, A, M]: CocoEvaluation['shape'],
  { iou, k, area = 'all', max = M - 1 }: Slice,
): number {
  const a = AREA_NAMES.indexOf(area);
  let [sum, count] = [0, 0];
  for (let t = iou ?? 0; t < (iou === undefined ? T : iou + 1); t++) {
    for (let r = 0; r < R; r++) {
      for (let c = k ?? 0; c < (k === undefined ? K : k + 1); c++) {
        const value = values[(((t * R + r) * K + c) * A + a) * M + max]!;
        if (value <= -1) continue;
        sum += value;
        count++;
      }
    }
  }
  return count === 0 ? -1 : sum / count;
}

function meanPrecision({ precision, shape }: CocoEvaluation, slice: Slice): number {
  return meanOf(precision, shape, slice);
}

function meanRecall({ recall, shape: [T, , K, A, M] }: CocoEvaluation, slice: Slice): number {
  return meanOf(recall, [T, 1, K, A, M], slice);
}

/** IoU 0.75 among the thresholds. */
const AT_75 = 5;

/** The twelve figures of an evaluation, as `COCOeval.summarize` prints them. */
export function summarizeCoco(evaluation: CocoEvaluation): CocoMetrics {
  const ap = (slice: Slice): number => meanPrecision(evaluation, slice);
  const ar = (slice: Slice): number => meanRecall(evaluation, slice);
  return {
    AP: ap({}),
    AP50: ap({ iou: 0 }),
    AP75: ap({ iou: AT_75 }),
    APs: ap({ area: 'small' }),
    APm: ap({ area: 'medium' }),
    APl: ap({ area: 'large' }),
    AR1: ar({ max: 0 }),
    AR10: ar({ max: 1 }),
    AR100: ar({ max: 2 }),
    ARs: ar({ area: 'small' }),
    ARm: ar({ area: 'medium' }),
    ARl: ar({ area: 'large' }),
  };
}

/** AP, AP at IoU 0.50 and AR of each class, in the order of `evaluation.categoryIds`. */
export function summarizeClasses(evaluation: CocoEvaluation): { AP: number; AP50: number; AR: number }[] {
  return evaluation.categoryIds.map((_, k) => ({
    AP: meanPrecision(evaluation, { k }),
    AP50: meanPrecision(evaluation, { k, iou: 0 }),
    AR: meanRecall(evaluation, { k }),
  }));
}

/**
 * Precision at the 101 recalls 0.00, 0.01, … 1.00 for one IoU threshold (0.5, 0.55, … 0.95), all areas and 100 detections: of the
 * class at place `k` of `evaluation.categoryIds`, or the mean of the classes that have objects. −1 without objects.
 * Throws AsMlpError('usage') for another threshold.
 */
export function precisionCurve(evaluation: CocoEvaluation, iou: number, k?: number): Float64Array {
  const t = IOU_THRESHOLDS.findIndex((threshold) => Math.abs(threshold - iou) < 1e-6);
  if (t < 0) {
    throw new AsMlpError('usage', {
      what: `${iou} is no IoU threshold of COCO`,
      fix: 'Take one of 0.5, 0.55, … 0.95',
    });
  }
  const { precision, shape } = evaluation;
  const [, R, K, A, M] = shape;
  return Float64Array.from({ length: R }, (_, r) => {
    const from = (t * R + r) * K * A * M;
    return meanOf(precision.subarray(from, from + K * A * M), [1, 1, K, A, M], { k });
  });
}
