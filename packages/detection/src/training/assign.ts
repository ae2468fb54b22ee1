import { iou } from './overlap.ts';

/** When a box counts as an object; overlaps are intersection over union. */
export interface AssignerSettings {
  /** A box that overlaps an object at least so much is that object. */
  readonly positive: number;
  /** A box that overlaps every object less than this is background; between the two it is ignored. */
  readonly negative: number;
  /**
   * Each object also takes the boxes that overlap it most, all that tie, if they reach this overlap. Left out: it does not.
   */
  readonly lowQuality?: number;
}

/** What {@link assign} gives for a box that is neither an object nor background. */
export const IGNORED = -1;

/**
 * Which object each box is to find (the max-IoU assigner of Faster R-CNN): `k + 1` for object k, 0 for background,
 * {@link IGNORED} for neither. Of objects that overlap a box equally the first counts; of objects that take a box as their
 * best one the last.
 *
 * @param boxes `[N, 4]` and `objects` `[K, 4]`, x0, y0, x1, y1.
 */
export function assign(boxes: Float32Array, objects: Float32Array, settings: AssignerSettings): Int32Array {
  const positive = Math.fround(settings.positive);
  const negative = Math.fround(settings.negative);
  const count = boxes.length / 4;
  const objectCount = objects.length / 4;
  const assigned = new Int32Array(count);
  const bestOfObject = new Float32Array(objectCount);
  for (let i = 0; i < count; i++) {
    let best = 0;
    let which = 0;
    for (let k = 0; k < objectCount; k++) {
      const overlap = iou(objects, k, boxes, i);
      if (overlap > best) {
        best = overlap;
        which = k;
      }
      if (overlap > bestOfObject[k]!) bestOfObject[k] = overlap;
    }
    if (objectCount > 0 && best >= positive) assigned[i] = which + 1;
    else if (objectCount > 0 && !(best < negative)) assigned[i] = IGNORED;
  }
  if (settings.lowQuality === undefined) return assigned;
  const least = Math.fround(settings.lowQuality);
  for (let k = 0; k < objectCount; k++) {
    const top = bestOfObject[k]!;
    if (top < least) continue;
    for (let i = 0; i < count; i++) if (iou(objects, k, boxes, i) === top) assigned[i] = k + 1;
  }
  return assigned;
}
