import { accumulateClass } from './accumulate.ts';
import type { CocoDataset } from './coco-dataset.ts';
import type { Detections } from './detections.ts';
import { type IouType, matchClass } from './match-class.ts';
import { AREA_RANGES, IOU_THRESHOLDS, MAX_DETECTIONS, RECALL_THRESHOLDS } from './thresholds.ts';

/** Options of {@link evaluateCoco}. */
export interface CocoEvalOptions {
  /** False takes all classes for one, as for proposals; true unless given. */
  readonly useCategories?: boolean;
  /** Detections that count an image and class, ascending; 1, 10 and 100 unless given. */
  readonly maxDetections?: readonly number[];
}

/** What `COCOeval` of pycocotools leaves in `eval`. −1 stands where there is no object to find. */
export interface CocoEvaluation {
  readonly type: IouType;
  /** Category ids along K, ascending; [−1] where classes are one. */
  readonly categoryIds: readonly number[];
  readonly maxDetections: readonly number[];
  /** T, R, K, A, M: IoU thresholds, recalls, classes, ranges of areas, numbers of detections. */
  readonly shape: readonly [T: number, R: number, K: number, A: number, M: number];
  /** `[T, R, K, A, M]` */
  readonly precision: Float64Array;
  /** `[T, R, K, A, M]` scores at which those precisions are reached. */
  readonly scores: Float64Array;
  /** `[T, K, A, M]` */
  readonly recall: Float64Array;
}

/**
 * Scores detections as `COCOeval` of pycocotools does, `evaluate` and `accumulate` in one. `COCOeval` is followed where it is
 * peculiar: see `matchImage` for an annotation with id 0.
 * Throws AsMlpError('input') for a mask that cannot be read, with `segm`.
 */
export function evaluateCoco(
  dataset: CocoDataset,
  detections: Detections,
  type: IouType,
  { useCategories = true, maxDetections = MAX_DETECTIONS }: CocoEvalOptions = {},
): CocoEvaluation {
  const rows = sortedRows(dataset, useCategories);
  const truth = rows(dataset.annotations.image, dataset.annotations.label);
  const found = rows(detections.image, detections.label);
  const categoryIds = useCategories ? knownIds(dataset) : [-1];
  const [T, R, K, A, M] = [
    IOU_THRESHOLDS.length,
    RECALL_THRESHOLDS.length,
    categoryIds.length,
    AREA_RANGES.length,
    maxDetections.length,
  ] as const;
  const precision = new Float64Array(T * R * K * A * M).fill(-1);
  const scores = new Float64Array(T * R * K * A * M).fill(-1);
  const recall = new Float64Array(T * K * A * M).fill(-1);
  const most = Math.max(...maxDetections);
  for (let k = 0; k < K; k++) {
    const matches = matchClass(dataset, truth(k), detections, found(k), type, most);
    accumulateClass(matches, maxDetections, (t, a, m, reached, curve, scoreCurve) => {
      recall[((t * K + k) * A + a) * M + m] = reached;
      for (let r = 0; r < R; r++) {
        const at = (((t * R + r) * K + k) * A + a) * M + m;
        precision[at] = curve[r]!;
        scores[at] = scoreCurve[r]!;
      }
    });
  }
  return { type, categoryIds, maxDetections, shape: [T, R, K, A, M], precision, scores, recall };
}

/** Ids of the categories that labels stand for, ascending, as COCOeval orders them. */
function knownIds({ categoryIds }: CocoDataset): number[] {
  return categoryIds.filter((id) => id !== undefined).sort((a, b) => a - b);
}

/** Gives the rows of class k by image id, and within an image by class and in their own order. */
type RowsOf = (k: number) => Uint32Array;

function sortedRows({ images, categoryIds }: CocoDataset, useCategories: boolean) {
  const imageRank = ranks(images.map(({ id }) => id));
  const classRank = ranks(categoryIds);
  return (image: Int32Array, label: Int32Array): RowsOf => {
    const classOf = (row: number): number => classRank[label[row]!] ?? -1;
    const imageOf = (row: number): number => imageRank[image[row]!]!;
    const known = Uint32Array.from(image.keys()).filter((row) => classOf(row) >= 0);
    if (useCategories) {
      const byImage = countingSort(known, imageOf, images.length).rows;
      const { rows, starts } = countingSort(byImage, classOf, categoryIds.length);
      return (k) => rows.subarray(starts[k]!, starts[k + 1]!);
    }
    const byClass = countingSort(known, classOf, categoryIds.length).rows;
    const { rows } = countingSort(byClass, imageOf, images.length);
    return () => rows;
  };
}

/** The place of each id among all in ascending order; −1 for undefined. */
function ranks(ids: readonly (number | undefined)[]): Int32Array {
  const rank = new Int32Array(ids.length).fill(-1);
  const known = [...ids.keys()].filter((i) => ids[i] !== undefined);
  known.sort((a, b) => ids[a]! - ids[b]!);
  known.forEach((i, place) => {
    rank[i] = place;
  });
  return rank;
}

/** Sorts rows by a small whole key and keeps the order among equals; the rows of key k begin at `starts[k]`. */
function countingSort(from: Uint32Array, key: (row: number) => number, keys: number) {
  const starts = new Uint32Array(keys + 1);
  for (const row of from) starts[key(row) + 1]!++;
  for (let i = 0; i < keys; i++) starts[i + 1]! += starts[i]!;
  const next = starts.slice();
  const rows = new Uint32Array(from.length);
  for (const row of from) rows[next[key(row)]!++] = row;
  return { rows, starts };
}
