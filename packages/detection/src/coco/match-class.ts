import type { ClassMatches } from './accumulate.ts';
import type { CocoDataset } from './coco-dataset.ts';
import type { Detections } from './detections.ts';
import { matchImage } from './match.ts';
import { rleIou, xywhIou } from './rle-overlap.ts';
import { AREA_RANGES, IOU_THRESHOLDS } from './thresholds.ts';

/** What is compared: boxes or masks. */
export type IouType = 'bbox' | 'segm';

/**
 * Matches all detections of one class. `truth` and `found` are rows of the annotations and the detections, by image id; of
 * each image the `most` best detections count.
 */
export function matchClass(
  dataset: CocoDataset,
  truth: Uint32Array,
  detections: Detections,
  found: Uint32Array,
  type: IouType,
  most: number,
): ClassMatches {
  const { annotations } = dataset;
  const stride = found.length;
  const score = new Float64Array(stride);
  const rank = new Uint32Array(stride);
  const outcome = new Uint8Array(AREA_RANGES.length * IOU_THRESHOLDS.length * stride);
  const counted = new Uint32Array(AREA_RANGES.length);
  let length = 0;
  for (const [objects, candidates] of eachImage(dataset, truth, detections, found)) {
    const best = candidates
      .slice()
      .sort((a, b) => detections.score[b]! - detections.score[a]!)
      .subarray(0, most);
    const crowd = pick(annotations.crowd, objects);
    const iou = overlaps(dataset, objects, crowd, detections, best, type);
    const trueObjects = { ids: pick(annotations.ids, objects), area: pick(annotations.area, objects), crowd };
    matchImage(iou, pick(detections.area, best), trueObjects, outcome, stride, length, counted);
    for (let place = 0; place < best.length; place++) {
      score[length] = detections.score[best[place]!]!;
      rank[length++] = place;
    }
  }
  return { length, score, rank, outcome, stride, counted };
}

/** The rows of each image that has any. */
function* eachImage(
  { images, annotations }: CocoDataset,
  truth: Uint32Array,
  detections: Detections,
  found: Uint32Array,
): Generator<readonly [objects: Uint32Array, candidates: Uint32Array]> {
  const idOf = (image: number | undefined): number =>
    image === undefined ? Number.POSITIVE_INFINITY : images[image]!.id;
  const trueId = (i: number): number => idOf(annotations.image[truth[i]!]);
  const foundId = (i: number): number => idOf(detections.image[found[i]!]);
  for (let g = 0, d = 0; g < truth.length || d < found.length; ) {
    const [fromG, fromD, id] = [g, d, Math.min(trueId(g), foundId(d))];
    while (g < truth.length && trueId(g) === id) g++;
    while (d < found.length && foundId(d) === id) d++;
    yield [truth.subarray(fromG, g), found.subarray(fromD, d)];
  }
}

/** IoU of all pairs, `[D · G]`. */
function overlaps(
  dataset: CocoDataset,
  objects: Uint32Array,
  crowd: Float64Array,
  detections: Detections,
  best: Uint32Array,
  type: IouType,
): Float64Array {
  if (objects.length === 0 || best.length === 0) return new Float64Array(0);
  if (type === 'bbox') {
    return xywhIou(pickBoxes(detections.xywh, best), pickBoxes(dataset.annotations.xywh, objects), crowd);
  }
  return rleIou(
    Array.from(best, (row) => detections.mask(row)),
    Array.from(objects, (row) => dataset.mask(row)),
    crowd,
  );
}

function pick(column: ArrayLike<number>, rows: Uint32Array): Float64Array {
  const picked = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) picked[i] = column[rows[i]!]!;
  return picked;
}

function pickBoxes(xywh: Float64Array, rows: Uint32Array): Float64Array {
  const picked = new Float64Array(4 * rows.length);
  for (let i = 0; i < rows.length; i++) {
    for (let side = 0; side < 4; side++) picked[4 * i + side] = xywh[4 * rows[i]! + side]!;
  }
  return picked;
}
