import type { Size } from '@as-mlp/data';
import { MASK_SIZE } from '../config.ts';
import { type AssignerSettings, assign } from './assign.ts';
import { type Choose, chooseBoxes, type SamplerSettings } from './choose.ts';
import { gatherBoxes, joinFloats } from './gather.ts';
import { type Bitmap, maskTarget } from './mask-targets.ts';

/** The objects of one image, on its padded canvas. */
export interface DetectionTargets {
  /** `[K, 4]` boxes x0, y0, x1, y1. */
  readonly boxes: Float32Array;
  /** `[K]` class indices. */
  readonly labels: Int32Array;
  readonly masks: readonly Bitmap[];
}

/** The regions of one image that a stage learns from, positives first. */
export interface RoiTargets {
  /** `[R, 4]`. */
  readonly boxes: Float32Array;
  /** `[R]` classes; the background is class `numClasses`. */
  readonly labels: Int32Array;
  /** Number of positives, P. */
  readonly positives: number;
  /** Number of positives, at the front, that are objects' own boxes. */
  readonly fromObjects: number;
  /** `[P]`: the object of each positive. */
  readonly objects: Int32Array;
}

/**
 * Chooses regions among the objects' own boxes and the proposals.
 *
 * @param proposals `[N, 4]`.
 */
export function roiTargets(
  proposals: Float32Array,
  targets: DetectionTargets,
  numClasses: number,
  settings: { readonly assigner: AssignerSettings; readonly sampler: SamplerSettings },
  choose: Choose,
): RoiTargets {
  const known = targets.labels.length;
  const candidates = joinFloats([targets.boxes, proposals]);
  // An object's own box is that object, whatever else it overlaps.
  const assigned = new Int32Array(candidates.length / 4);
  for (let k = 0; k < known; k++) assigned[k] = k + 1;
  assigned.set(assign(proposals, targets.boxes, settings.assigner), known);

  const { positives, negatives } = chooseBoxes(assigned, settings.sampler, choose);
  const chosen = [...positives, ...negatives];
  const boxes = gatherBoxes(candidates, chosen);
  const objects = positives.map((i) => assigned[i]! - 1);
  const labels = new Int32Array(chosen.length).fill(numClasses);
  objects.forEach((k, i) => {
    labels[i] = targets.labels[k]!;
  });
  return {
    boxes,
    labels,
    positives: positives.length,
    fromObjects: positives.filter((i) => i < known).length,
    objects,
  };
}

/** `[P, 28, 28]` zeros and ones: what the mask head should answer for the positives. */
export function maskTargets(
  { boxes, objects }: RoiTargets,
  masks: readonly Bitmap[],
  canvas: Size,
): Float32Array {
  const size = MASK_SIZE * MASK_SIZE;
  const all = new Float32Array(objects.length * size);
  objects.forEach((k, i) => {
    maskTarget(masks[k]!, boxes.subarray(4 * i, 4 * i + 4), canvas, all.subarray(i * size, (i + 1) * size));
  });
  return all;
}
