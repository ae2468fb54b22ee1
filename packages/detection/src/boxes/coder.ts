import type { Size } from '@as-mlp/data';

/** Width and height change by this factor at most: the logarithm of 1000 / 16. */
const MAX_LOG_RATIO = Math.log(1000 / 16);
const UNIT = [1, 1, 1, 1] as const;

/**
 * Deltas (dx, dy, dw, dh) that move `boxes` onto `targets`, divided by `std`: centres in units of the box, logarithms of the
 * sizes' ratios. `[N, 4]` each.
 */
export function encodeBoxes(
  boxes: Float32Array,
  targets: Float32Array,
  std: readonly number[] = UNIT,
): Float32Array {
  const deltas = new Float32Array(boxes.length);
  for (let i = 0; i < boxes.length; i += 4) {
    const width = boxes[i + 2]! - boxes[i]!;
    const height = boxes[i + 3]! - boxes[i + 1]!;
    const targetWidth = targets[i + 2]! - targets[i]!;
    const targetHeight = targets[i + 3]! - targets[i + 1]!;
    const dx = (targets[i]! + targets[i + 2]! - boxes[i]! - boxes[i + 2]!) / (2 * width);
    const dy = (targets[i + 1]! + targets[i + 3]! - boxes[i + 1]! - boxes[i + 3]!) / (2 * height);
    deltas[i] = dx / std[0]!;
    deltas[i + 1] = dy / std[1]!;
    deltas[i + 2] = Math.log(targetWidth / width) / std[2]!;
    deltas[i + 3] = Math.log(targetHeight / height) / std[3]!;
  }
  return deltas;
}

/** Options of {@link decodeBoxes}. */
export interface DecodeOptions {
  /** What the deltas were divided by; 1 unless given. */
  readonly std?: readonly number[];
  /** Boxes are cut to this rectangle from (0, 0); left as they are unless given. */
  readonly clip?: Size;
}

/**
 * Inverse of {@link encodeBoxes}: `boxes` `[N, 4]` moved by `deltas` `[N, 4 · K]` → `[N, 4 · K]`. Sizes change by a factor
 * of 62.5 at most.
 */
export function decodeBoxes(
  boxes: Float32Array,
  deltas: Float32Array,
  { std = UNIT, clip }: DecodeOptions = {},
): Float32Array {
  const decoded = new Float32Array(deltas.length);
  const perBox = boxes.length === 0 ? 0 : (deltas.length / boxes.length) * 4;
  const right = clip?.width ?? Number.POSITIVE_INFINITY;
  const bottom = clip?.height ?? Number.POSITIVE_INFINITY;
  const origin = clip ? 0 : Number.NEGATIVE_INFINITY;
  for (let box = 0, i = 0; box < boxes.length; box += 4) {
    const width = boxes[box + 2]! - boxes[box]!;
    const height = boxes[box + 3]! - boxes[box + 1]!;
    const x = (boxes[box]! + boxes[box + 2]!) / 2;
    const y = (boxes[box + 1]! + boxes[box + 3]!) / 2;
    for (const end = i + perBox; i < end; i += 4) {
      const centreX = x + width * deltas[i]! * std[0]!;
      const centreY = y + height * deltas[i + 1]! * std[1]!;
      const halfWidth = (width * growth(deltas[i + 2]! * std[2]!)) / 2;
      const halfHeight = (height * growth(deltas[i + 3]! * std[3]!)) / 2;
      decoded[i] = clamp(centreX - halfWidth, origin, right);
      decoded[i + 1] = clamp(centreY - halfHeight, origin, bottom);
      decoded[i + 2] = clamp(centreX + halfWidth, origin, right);
      decoded[i + 3] = clamp(centreY + halfHeight, origin, bottom);
    }
  }
  return decoded;
}

const growth = (logarithm: number) => Math.exp(clamp(logarithm, -MAX_LOG_RATIO, MAX_LOG_RATIO));

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
