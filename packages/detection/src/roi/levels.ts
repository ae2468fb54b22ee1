/** Side of a square region that belongs to the finest level, in pixels; up to twice as much. */
const FINEST_SIDE = 56;

/**
 * The pyramid level of each `[N, 4]` box (Lin et al., 2017, equation 1): 0 below 112 pixels of √area, 1 below 224, and so
 * on up to `levels − 1`. Every step is rounded to float32, as officially.
 */
export function roiLevels(boxes: Float32Array, levels: number): Uint8Array {
  const { fround } = Math;
  const found = new Uint8Array(boxes.length / 4);
  for (let i = 0, box = 0; box < boxes.length; i++, box += 4) {
    const area = fround(fround(boxes[box + 2]! - boxes[box]!) * fround(boxes[box + 3]! - boxes[box + 1]!));
    const side = fround(fround(Math.sqrt(area)) / FINEST_SIDE);
    const level = Math.floor(fround(Math.log2(fround(side + fround(1e-6)))));
    found[i] = Math.min(Math.max(level, 0), levels - 1);
  }
  return found;
}
