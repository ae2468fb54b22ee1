import type { LabelMap, Region, RgbImage, Size } from './image.ts';
import { checkSize } from './image.ts';

interface LinearTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Weights with 11 fractional bits. */
  readonly firstWeight: Int32Array;
  readonly secondWeight: Int32Array;
}

/**
 * The two neighbours of each output position. Columns outside the image take the edge pixel whole; rows outside are
 * clamped but keep both weights, which matters for the truncations below.
 */
function linearTaps(
  source: number,
  target: number,
  first: number,
  length: number,
  isColumn: boolean,
): LinearTaps {
  const scale = 1 / (target / source);
  const taps: LinearTaps = {
    first: new Int32Array(length),
    second: new Int32Array(length),
    firstWeight: new Int32Array(length),
    secondWeight: new Int32Array(length),
  };
  for (let i = 0; i < length; i++) {
    const position = Math.fround((first + i + 0.5) * scale - 0.5);
    const index = Math.floor(position);
    const outside = isColumn && (index < 0 || index >= source - 1);
    const fraction = outside ? 0 : Math.fround(position - index);
    taps.first[i] = Math.min(Math.max(index, 0), source - 1);
    taps.second[i] = Math.min(Math.max(index + 1, 0), source - 1);
    taps.firstWeight[i] = roundHalfEven(Math.fround(1 - fraction) * 2048);
    taps.secondWeight[i] = roundHalfEven(fraction * 2048);
  }
  return taps;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The rectangle `window` of the rectangle `region` of `image` resized to `size`, equal to the last bit to OpenCV's
 * `cv2.resize(…, INTER_LINEAR)` on 8-bit images: no antialiasing, 11-bit weights, truncating shifts between the passes.
 * Returns `window.height · window.width · 3` bytes.
 */
export function resizeLinear(image: RgbImage, region: Region, size: Size, window: Region): Uint8Array {
  const columns = linearTaps(region.width, size.width, window.left, window.width, true);
  const rows = linearTaps(region.height, size.height, window.top, window.height, false);
  const rowBytes = window.width * 3;
  const output = new Uint8Array(window.height * rowBytes);
  // Neighbouring output rows share source rows: keep the last two that were widened.
  const kept = [new Int32Array(rowBytes), new Int32Array(rowBytes)] as const;
  const keptRow = [-1, -1];
  const widened = (row: number, other: number): Int32Array => {
    const at = keptRow.indexOf(row);
    if (at >= 0) return kept[at]!;
    const slot = keptRow[0] === other ? 1 : 0;
    keptRow[slot] = row;
    const start = ((region.top + row) * image.width + region.left) * 3;
    return widenRow(image.data, start, columns, kept[slot]!);
  };
  for (let y = 0, offset = 0; y < window.height; y++, offset += rowBytes) {
    const upper = rows.first[y]!;
    const lower = rows.second[y]!;
    const a = rows.firstWeight[y]!;
    const b = rows.secondWeight[y]!;
    const top = widened(upper, lower);
    const bottom = widened(lower, upper);
    for (let i = 0; i < rowBytes; i++) {
      output[offset + i] = ((Math.imul(top[i]!, a) >> 16) + (Math.imul(bottom[i]!, b) >> 16) + 2) >> 2;
    }
  }
  return output;
}

/** One source row at the output's columns, scaled by 2^7 (11 bits of weight less 4). */
function widenRow(data: Uint8Array, start: number, columns: LinearTaps, into: Int32Array): Int32Array {
  const { first, second, firstWeight, secondWeight } = columns;
  for (let x = 0, o = 0; x < first.length; x++, o += 3) {
    const p = start + first[x]! * 3;
    const q = start + second[x]! * 3;
    const a = firstWeight[x]!;
    const b = secondWeight[x]!;
    into[o] = (Math.imul(data[p]!, a) + Math.imul(data[q]!, b)) >> 4;
    into[o + 1] = (Math.imul(data[p + 1]!, a) + Math.imul(data[q + 1]!, b)) >> 4;
    into[o + 2] = (Math.imul(data[p + 2]!, a) + Math.imul(data[q + 2]!, b)) >> 4;
  }
  return into;
}

/** For each of `target` positions on an axis, which of `source` ones OpenCV's `INTER_NEAREST` takes: ⌊i · source / target⌋. */
export function nearestSources(source: number, target: number): Int32Array {
  const scale = 1 / (target / source);
  return Int32Array.from({ length: target }, (_, i) => Math.min(Math.floor(i * scale), source - 1));
}

/**
 * A label map of another size, each pixel the nearest one's label, as OpenCV's `cv2.resize(…, INTER_NEAREST)`: the
 * position is `⌊i · source / target⌋`, without the half-pixel shift of Pillow's nearest.
 */
export function resizeLabels<A extends Uint8Array | Uint16Array>(
  labels: LabelMap<A>,
  size: Size,
): LabelMap<A> {
  const { height, width } = checkSize(size);
  const columns = nearestSources(labels.width, width);
  const rows = nearestSources(labels.height, height);
  const Values = labels.data.constructor as new (length: number) => A;
  const data = new Values(height * width);
  for (let y = 0, o = 0; y < height; y++) {
    const start = rows[y]! * labels.width;
    for (let x = 0; x < width; x++) data[o++] = labels.data[start + columns[x]!]!;
  }
  return { height, width, data };
}
