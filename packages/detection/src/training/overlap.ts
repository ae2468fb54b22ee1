const f = Math.fround;

/**
 * Intersection over union of box `i` of `a` and box `j` of `b`, corners as real numbers (no +1). Every step is rounded to
 * float32 in the order of the official code, so that equal overlaps are equal bits; the union counts as 1e-6 at least.
 *
 * @param a `[N, 4]` and `b` `[M, 4]` boxes x0, y0, x1, y1 in float32.
 */
export function iou(a: Float32Array, i: number, b: Float32Array, j: number): number {
  const p = 4 * i;
  const q = 4 * j;
  const ax0 = a[p]!;
  const ay0 = a[p + 1]!;
  const ax1 = a[p + 2]!;
  const ay1 = a[p + 3]!;
  const bx0 = b[q]!;
  const by0 = b[q + 1]!;
  const bx1 = b[q + 2]!;
  const by1 = b[q + 3]!;
  const width = f(Math.min(ax1, bx1) - Math.max(ax0, bx0));
  const height = f(Math.min(ay1, by1) - Math.max(ay0, by0));
  if (!(width > 0 && height > 0)) return 0;
  const overlap = f(width * height);
  const areas = f(f(f(ax1 - ax0) * f(ay1 - ay0)) + f(f(bx1 - bx0) * f(by1 - by0)));
  return f(overlap / Math.max(f(areas - overlap), SMALLEST_UNION));
}

const SMALLEST_UNION = f(1e-6);
