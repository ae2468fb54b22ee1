import type { CocoDataset } from './coco-dataset.ts';
import type { Detections } from './detections.ts';
import { FALSE_POSITIVE, matchImage, TRUE_POSITIVE } from './match.ts';
import { xywhIou } from './rle-overlap.ts';
import { AREA_RANGES, IOU_THRESHOLDS } from './thresholds.ts';

/**
 * How well the boxes of each image were found: F1, twice the right detections over detections and objects together, at IoU 0.5 and
 * with the detections whose score is at least `minScore`. Matching is that of {@link matchImage}, crowds included. NaN for images
 * with no object and no detection. In the order of the images of the data set.
 */
export function imageScores(dataset: CocoDataset, detections: Detections, minScore: number): Float64Array {
  const { annotations, images, labels } = dataset;
  const found = rowsByImage(detections, images.length, minScore);
  return Float64Array.from(images, (_, image) => {
    const [from, to] = dataset.annotationsOf(image);
    const objects = Array.from({ length: to - from }, (_, i) => from + i);
    let [right, wrong, counted] = [0, 0, 0];
    for (const label of labels.keys()) {
      const truth = objects.filter((row) => annotations.label[row] === label);
      const best = found[image]!.filter((row) => detections.label[row] === label);
      if (truth.length + best.length === 0) continue;
      const result = match(dataset, truth, detections, best);
      right += result.right;
      wrong += result.wrong;
      counted += result.counted;
    }
    return (2 * right) / (right + wrong + counted);
  });
}

/** Rows of the detections of each image that count, best first. */
function rowsByImage({ image, score, length }: Detections, images: number, minScore: number): number[][] {
  const rows: number[][] = Array.from({ length: images }, () => []);
  for (let row = 0; row < length; row++) if (score[row]! >= minScore) rows[image[row]!]!.push(row);
  for (const of of rows) of.sort((a, b) => score[b]! - score[a]!);
  return rows;
}

/** One class of one image, at IoU 0.5 and of every size: the first threshold and range of {@link matchImage}. */
function match(
  { annotations }: CocoDataset,
  truth: readonly number[],
  detections: Detections,
  best: readonly number[],
) {
  const boxes = (xywh: Float64Array, rows: readonly number[]) =>
    Float64Array.from(rows.flatMap((row) => [...xywh.subarray(4 * row, 4 * row + 4)]));
  const pick = (column: ArrayLike<number>, rows: readonly number[]) => rows.map((row) => column[row]!);
  const crowd = pick(annotations.crowd, truth);
  const iou = xywhIou(boxes(detections.xywh, best), boxes(annotations.xywh, truth), Float64Array.from(crowd));
  const outcome = new Uint8Array(AREA_RANGES.length * IOU_THRESHOLDS.length * best.length);
  const counted = new Uint32Array(AREA_RANGES.length);
  const objects = { ids: pick(annotations.ids, truth), area: pick(annotations.area, truth), crowd };
  matchImage(iou, pick(detections.area, best), objects, outcome, best.length, 0, counted);
  const results = outcome.subarray(0, best.length);
  const count = (what: number) => results.reduce((sum, result) => sum + Number(result === what), 0);
  return { right: count(TRUE_POSITIVE), wrong: count(FALSE_POSITIVE), counted: counted[0]! };
}
