/** Options of {@link nonMaximumSuppression}. */
export interface NmsOptions {
  /** A box goes when its intersection over union with a better one is larger than this (not when it is equal). */
  readonly threshold: number;
  /** Boxes of different groups (classes, levels) leave each other alone; one group when left out. */
  readonly groups?: ArrayLike<number>;
  /** Stops after so many boxes; all unless given. */
  readonly limit?: number;
}

/** Indices of `scores` from the best to the worst, equal ones in their order. */
export function bestFirst(scores: Float32Array): Int32Array {
  return Int32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
}

/**
 * Greedy non-maximum suppression of `[N, 4]` boxes: indices of those that stay, best first; of equal scores the first wins.
 * Areas and overlaps are rounded to float32 as the official CUDA kernel does, so that a box exactly at the threshold stays.
 */
export function nonMaximumSuppression(
  boxes: Float32Array,
  scores: Float32Array,
  { threshold, groups, limit = Number.POSITIVE_INFINITY }: NmsOptions,
): Int32Array {
  const kept: number[] = [];
  const keptOf = new Map<number, number[]>();
  const areas = boxAreas(boxes);
  const limitOfOverlap = Math.fround(threshold);
  for (const index of bestFirst(scores)) {
    if (kept.length >= limit) break;
    const group = groups?.[index] ?? 0;
    const rivals = keptOf.get(group);
    if (rivals?.some((rival) => overlaps(boxes, areas, rival, index, limitOfOverlap))) continue;
    kept.push(index);
    if (rivals) rivals.push(index);
    else keptOf.set(group, [index]);
  }
  return Int32Array.from(kept);
}

function boxAreas(boxes: Float32Array): Float32Array {
  const { fround } = Math;
  const areas = new Float32Array(boxes.length / 4);
  for (let i = 0, box = 0; box < boxes.length; i++, box += 4) {
    areas[i] = fround(boxes[box + 2]! - boxes[box]!) * fround(boxes[box + 3]! - boxes[box + 1]!);
  }
  return areas;
}

/** Whether the intersection over union is larger than `threshold`. */
function overlaps(
  boxes: Float32Array,
  areas: Float32Array,
  a: number,
  b: number,
  threshold: number,
): boolean {
  const { fround } = Math;
  const [p, q] = [a * 4, b * 4];
  const width = fround(Math.min(boxes[p + 2]!, boxes[q + 2]!) - Math.max(boxes[p]!, boxes[q]!));
  if (width <= 0) return false;
  const height = fround(Math.min(boxes[p + 3]!, boxes[q + 3]!) - Math.max(boxes[p + 1]!, boxes[q + 1]!));
  if (height <= 0) return false;
  const shared = fround(width * height);
  return shared > fround(threshold * fround(fround(areas[a]! + areas[b]!) - shared));
}
