import type { Size } from '@as-mlp/data';
import { decodeBoxes } from '../boxes/coder.ts';
import { nonMaximumSuppression } from '../boxes/nms.ts';

/** What the box heads say of the regions of one image, outside of the tensor library. */
export interface RegionScores {
  /** `[N, 4]` regions that the deltas start from, in input pixels. */
  readonly boxes: Float32Array;
  /** `[N, K + 1]`, the background last. */
  readonly logits: Float32Array;
  /** `[N, 4 · K]`. */
  readonly deltas: Float32Array;
  /** What the deltas were divided by. */
  readonly std: readonly number[];
}

/** How detections are chosen. */
export interface DetectionOptions {
  /** Detections have a score above this; 0.05 officially. */
  readonly minScore: number;
  /** Largest intersection over union of two detections of one class; 0.5 officially. */
  readonly maxOverlap: number;
  /** Detections of an image; 100 officially. */
  readonly maxDetections: number;
}

/** The official choice. */
export const OFFICIAL_DETECTIONS: DetectionOptions = { minScore: 0.05, maxOverlap: 0.5, maxDetections: 100 };

/** Detections in columns, best first. */
export interface DetectedBoxes {
  /** `[N, 4]` in pixels of the original image. */
  readonly boxes: Float32Array;
  /** `[N]` in [0, 1]. */
  readonly scores: Float32Array;
  /** `[N]` class indices. */
  readonly labels: Int32Array;
}

/**
 * The detections of an image: softmax over the classes, boxes of all pairs of region and class above the least score, cut to
 * the image and brought to its original size, suppression within each class.
 *
 * @param image the resized image's size without padding, resized pixels per original pixel, and the original size.
 */
export function chooseDetections(
  { boxes, logits, deltas, std }: RegionScores,
  { resized, scale, original }: { resized: Size; scale: Float32Array; original: Size },
  { minScore, maxOverlap, maxDetections }: DetectionOptions = OFFICIAL_DETECTIONS,
): DetectedBoxes {
  const regions = boxes.length / 4;
  const classes = regions === 0 ? 0 : logits.length / regions - 1;
  const least = Math.fround(minScore);
  const found: { region: number; label: number; score: number }[] = [];
  const scores = new Float32Array(classes + 1);
  for (let region = 0; region < regions; region++) {
    softmax(logits, region * (classes + 1), scores);
    for (let label = 0; label < classes; label++) {
      const score = scores[label]!;
      if (score > least) found.push({ region, label, score });
    }
  }
  const from = new Float32Array(found.length * 4);
  const by = new Float32Array(found.length * 4);
  for (const [i, { region, label }] of found.entries()) {
    from.set(boxes.subarray(region * 4, region * 4 + 4), i * 4);
    const start = (region * classes + label) * 4;
    by.set(deltas.subarray(start, start + 4), i * 4);
  }
  const all = decodeBoxes(from, by, { std, clip: resized });
  // The division of a side that was cut to the image may round up.
  const sides = [original.width, original.height];
  for (let i = 0; i < all.length; i++) all[i] = Math.min(all[i]! / scale[i % 4]!, sides[i % 2]!);
  const kept = nonMaximumSuppression(
    all,
    Float32Array.from(found, ({ score }) => score),
    { threshold: maxOverlap, groups: found.map(({ label }) => label), limit: maxDetections },
  );
  const picked = new Float32Array(kept.length * 4);
  for (const [i, index] of kept.entries()) picked.set(all.subarray(index * 4, index * 4 + 4), i * 4);
  return {
    boxes: picked,
    scores: Float32Array.from(kept, (index) => found[index]!.score),
    labels: Int32Array.from(kept, (index) => found[index]!.label),
  };
}

/** Softmax of the row of `logits` that begins at `start`, into `scores`. */
function softmax(logits: Float32Array, start: number, scores: Float32Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) most = Math.max(most, logits[start + i]!);
  let sum = 0;
  for (let i = 0; i < scores.length; i++) {
    scores[i] = Math.exp(logits[start + i]! - most);
    sum += scores[i]!;
  }
  for (let i = 0; i < scores.length; i++) scores[i]! /= sum;
}

/**
 * The regions of the next box stage: each moved by the deltas of its likeliest class (never the background), and cut to
 * the image.
 */
export function refineRegions({ boxes, logits, deltas, std }: RegionScores, clip: Size): Float32Array {
  const regions = boxes.length / 4;
  const classes = logits.length / Math.max(1, regions) - 1;
  const chosen = new Float32Array(boxes.length);
  for (let region = 0; region < regions; region++) {
    const row = logits.subarray(region * (classes + 1), region * (classes + 1) + classes);
    let label = 0;
    for (let i = 1; i < classes; i++) if (row[i]! > row[label]!) label = i;
    const start = (region * classes + label) * 4;
    chosen.set(deltas.subarray(start, start + 4), region * 4);
  }
  return decodeBoxes(boxes, chosen, { std, clip });
}
