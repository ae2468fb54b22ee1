import type { Size } from '@as-mlp/data';
import { validAnchors } from '../boxes/anchors.ts';
import { type AssignerSettings, assign } from './assign.ts';
import { type Choose, chooseBoxes, type SamplerSettings } from './choose.ts';
import { gatherBoxes } from './gather.ts';

/** One level of the feature pyramid: cells, and input pixels per cell. */
export interface LevelGrid extends Size {
  readonly stride: number;
}

/** Sizes of one image of a batch; the batch itself is padded to the largest of its padded sizes. */
export interface ImageExtent {
  /** The resized image. */
  readonly image: Size;
  /** The resized image padded to a multiple of 32 at the right and the bottom. */
  readonly padded: Size;
}

/** How the proposal network's targets are chosen. */
export interface RpnTargetSettings {
  readonly assigner: AssignerSettings;
  readonly sampler: SamplerSettings;
  /** Pixels that an anchor may reach over the image's edges; `null`: as far as it likes. */
  readonly allowedBorder: number | null;
}

/** The anchors of one image that the proposal network's losses look at, as indices over all levels. */
export interface RpnTargets {
  readonly positives: Int32Array;
  readonly negatives: Int32Array;
  /** `[P]`: the object of each positive. */
  readonly objects: Int32Array;
}

/**
 * Chooses among the anchors whose cell lies on the image's own padded canvas.
 *
 * @param anchors `[N, 4]` of all levels in order: rows, columns, then the `N / cells` anchors of a cell.
 * @param boxes `[K, 4]` of the objects.
 */
export function rpnTargets(
  anchors: Float32Array,
  levels: readonly LevelGrid[],
  extent: ImageExtent,
  boxes: Float32Array,
  settings: RpnTargetSettings,
  choose: Choose,
): RpnTargets {
  const usable = usableAnchors(anchors, levels, extent, settings.allowedBorder);
  const assigned = assign(gatherBoxes(anchors, usable), boxes, settings.assigner);
  const { positives, negatives } = chooseBoxes(assigned, settings.sampler, choose);
  return {
    positives: positives.map((i) => usable[i]!),
    negatives: negatives.map((i) => usable[i]!),
    objects: positives.map((i) => assigned[i]! - 1),
  };
}

function usableAnchors(
  anchors: Float32Array,
  levels: readonly LevelGrid[],
  { image, padded }: ImageExtent,
  border: number | null,
): Int32Array {
  const usable = new Int32Array(anchors.length / 4);
  let count = 0;
  let index = 0;
  for (const level of levels) {
    for (const onCanvas of validAnchors(level, level.stride, padded)) {
      if (onCanvas && (border === null || liesInside(anchors, index, image, border))) usable[count++] = index;
      index++;
    }
  }
  return usable.subarray(0, count);
}

function liesInside(anchors: Float32Array, index: number, { height, width }: Size, border: number): boolean {
  const p = 4 * index;
  return (
    anchors[p]! >= -border &&
    anchors[p + 1]! >= -border &&
    anchors[p + 2]! < width + border &&
    anchors[p + 3]! < height + border
  );
}
