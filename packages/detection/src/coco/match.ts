import { AREA_RANGES, IOU_THRESHOLDS } from './thresholds.ts';

/** The true objects of one image and class. */
export interface TrueObjects {
  readonly ids: ArrayLike<number>;
  readonly area: ArrayLike<number>;
  readonly crowd: ArrayLike<number>;
}

/** What became of a detection at one threshold and range of areas. */
export const FALSE_POSITIVE = 0;
/** See {@link FALSE_POSITIVE}. */
export const TRUE_POSITIVE = 1;
/** Neither right nor wrong: matched to a crowd or to an object out of range, or unmatched and itself out of range. */
export const IGNORED = 2;

/**
 * Matches the detections of one image and class, best first, to its objects, as `COCOeval.evaluateImg`: each takes the free
 * object of the highest IoU at or above the threshold (the last one among equals), one that counts before one that is ignored;
 * a crowd is never used up.
 *
 * An object with id 0 is taken by its detection, which then still counts as unmatched: pycocotools marks matches by that id.
 *
 * `iou` is `[D · G]`. `outcome[(a · T + t) · stride + offset + d]` receives what became of detection d in range a at threshold t,
 * and `counted[a]` is raised by the objects that count in range a.
 */
export function matchImage(
  iou: Float64Array,
  detectionArea: ArrayLike<number>,
  objects: TrueObjects,
  outcome: Uint8Array,
  stride: number,
  offset: number,
  counted: Uint32Array,
): void {
  const [D, G, T] = [detectionArea.length, objects.ids.length, IOU_THRESHOLDS.length];
  const order = new Int32Array(G);
  const taken = new Uint8Array(G);
  AREA_RANGES.forEach(([least, most], a) => {
    const counts = (g: number): boolean =>
      !objects.crowd[g] && objects.area[g]! >= least && objects.area[g]! <= most;
    // Those that count first, each kind in its own order.
    let n = 0;
    for (let g = 0; g < G; g++) if (counts(g)) order[n++] = g;
    const numCounted = n;
    for (let g = 0; g < G; g++) if (!counts(g)) order[n++] = g;
    counted[a]! += numCounted;

    for (let t = 0; t < T; t++) {
      const threshold = Math.min(IOU_THRESHOLDS[t]!, 1 - 1e-10);
      const row = (a * T + t) * stride + offset;
      taken.fill(0);
      for (let d = 0; d < D; d++) {
        let best = -1;
        let bestIou = threshold;
        for (let i = 0; i < G; i++) {
          if (i === numCounted && best >= 0) break;
          const g = order[i]!;
          const value = iou[d * G + g]!;
          if (value < bestIou || (taken[i] && !objects.crowd[g])) continue;
          bestIou = value;
          best = i;
        }
        if (best >= 0) taken[best] = 1;
        const matched = best >= 0 && objects.ids[order[best]!] !== 0;
        const outOfRange = detectionArea[d]! < least || detectionArea[d]! > most;
        const ignored = best >= numCounted || (!matched && outOfRange);
        outcome[row + d] = ignored ? IGNORED : matched ? TRUE_POSITIVE : FALSE_POSITIVE;
      }
    }
  });
}
