import { AsMlpError } from '@as-mlp/base';
import { type Bins, regionBins } from './bins.ts';
import { roiLevels } from './levels.ts';

/** One level of a feature pyramid outside of the tensor library: `[B, height, width, channels]`, row-major. */
export interface HostMap {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Input pixels per cell. */
  readonly stride: number;
}

/** Numbers of a region: index of its image in the batch, then x0, y0, x1, y1 in input pixels. */
export const ROI_NUMBERS = 5;

/** `[N, 4]` boxes of one image as `[N, 5]` regions. */
export function toRois(boxes: Float32Array, image = 0): Float32Array {
  const rois = new Float32Array((boxes.length / 4) * ROI_NUMBERS);
  for (let i = 0, o = 0; i < boxes.length; i += 4, o += ROI_NUMBERS) {
    rois[o] = image;
    rois.set(boxes.subarray(i, i + 4), o + 1);
  }
  return rois;
}

/**
 * RoIAlign (He et al., 2017) with aligned corners and adaptive sampling: each of the `[N, 5]` regions cut out of the level
 * that fits its size and averaged to `size`² cells → `[N, size, size, channels]`.
 *
 * The means of interpolations are two products with the weights of the axes, rows first.
 *
 * @param buffer memory for the result, which is a view of it then; new memory where it is too small.
 */
export function roiAlign(
  maps: readonly HostMap[],
  rois: Float32Array,
  size: number,
  buffer?: Float32Array,
): Float32Array {
  const { channels } = maps[0]!;
  const cut = size * size * channels;
  const length = (rois.length / ROI_NUMBERS) * cut;
  const out =
    buffer && buffer.length >= length ? buffer.subarray(0, length).fill(0) : new Float32Array(length);
  const strip = new Float32Array(Math.max(...maps.map(({ width }) => width)) * channels);
  forEachRoi(maps, rois, size, (map, base, rows, columns, index) => {
    const stripStart = columns.begin * channels;
    const stripLength = (columns.end - columns.begin) * channels;
    for (let row = 0; row < size; row++) {
      if (rows.counts[row] === 0) continue;
      const from = base + rows.starts[row]! * map.width * channels + stripStart;
      mix(map.data, from, map.width * channels, rows, row, strip, 0, stripLength);
      for (let column = 0; column < size; column++) {
        if (columns.counts[column] === 0) continue;
        const start = columns.starts[column]! * channels - stripStart;
        mix(
          strip,
          start,
          channels,
          columns,
          column,
          out,
          index * cut + (row * size + column) * channels,
          channels,
        );
      }
    }
  });
  return out;
}

/**
 * Gradient of {@link roiAlign} with respect to the maps, from that of its result: an array for each map.
 * Only the sizes of `maps` matter; their `data` may be left empty.
 *
 * @param batch images in the maps.
 */
export function roiAlignGradient(
  maps: readonly HostMap[],
  rois: Float32Array,
  size: number,
  dy: Float32Array,
  batch: number,
): Float32Array[] {
  const { channels } = maps[0]!;
  const cut = size * size * channels;
  const gradients = maps.map(({ height, width }) => new Float32Array(batch * height * width * channels));
  const strip = new Float32Array(Math.max(...maps.map(({ width }) => width)) * channels);
  forEachRoi(maps, rois, size, (map, base, rows, columns, index, level) => {
    const stripStart = columns.begin * channels;
    const stripLength = (columns.end - columns.begin) * channels;
    for (let row = 0; row < size; row++) {
      if (rows.counts[row] === 0) continue;
      strip.fill(0, 0, stripLength);
      for (let column = 0; column < size; column++) {
        const start = columns.starts[column]! * channels - stripStart;
        spread(
          dy,
          index * cut + (row * size + column) * channels,
          channels,
          columns,
          column,
          strip,
          start,
          channels,
        );
      }
      const into = base + rows.starts[row]! * map.width * channels + stripStart;
      spread(strip, 0, stripLength, rows, row, gradients[level]!, into, map.width * channels);
    }
  });
  return gradients;
}

type RoiWork = (map: HostMap, base: number, rows: Bins, columns: Bins, index: number, level: number) => void;

/** Calls `work` for each region that touches its map; `base` is where its image begins in the map's data. */
function forEachRoi(maps: readonly HostMap[], rois: Float32Array, size: number, work: RoiWork): void {
  const { fround } = Math;
  const count = rois.length / ROI_NUMBERS;
  if (!Number.isInteger(count)) {
    throw new AsMlpError('input', {
      what: `${rois.length} numbers are no list of regions`,
      fix: 'Give five for each: image, x0, y0, x1, y1',
    });
  }
  const boxes = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) {
    boxes.set(rois.subarray(i * ROI_NUMBERS + 1, (i + 1) * ROI_NUMBERS), i * 4);
  }
  const levels = roiLevels(boxes, maps.length);
  for (let i = 0; i < count; i++) {
    const level = levels[i]!;
    const map = maps[level]!;
    const cell = (at: number) => fround(fround(boxes[i * 4 + at]! / map.stride) - 0.5);
    const rows = regionBins(cell(1), cell(3), size, map.height);
    const columns = regionBins(cell(0), cell(2), size, map.width);
    if (rows.end === 0 || columns.end === 0) continue;
    const base = rois[i * ROI_NUMBERS]! * map.height * map.width * map.channels;
    work(map, base, rows, columns, i, level);
  }
}

/** `to[j] = Σ weight_k · from[k · step + j]` for `length` numbers j, over the cells k of one bin. */
function mix(
  from: Float32Array,
  fromStart: number,
  step: number,
  { weights, most, counts }: Bins,
  bin: number,
  to: Float32Array,
  toStart: number,
  length: number,
): void {
  const count = counts[bin]!;
  const first = weights[bin * most]!;
  for (let j = 0; j < length; j++) to[toStart + j] = first * from[fromStart + j]!;
  for (let k = 1; k < count; k++) {
    const weight = weights[bin * most + k]!;
    const start = fromStart + k * step;
    for (let j = 0; j < length; j++) to[toStart + j]! += weight * from[start + j]!;
  }
}

/** `to[k · step + j] += weight_k · from[j]` for `length` numbers j, over the cells k of one bin. */
function spread(
  from: Float32Array,
  fromStart: number,
  length: number,
  { weights, most, counts }: Bins,
  bin: number,
  to: Float32Array,
  toStart: number,
  step: number,
): void {
  const count = counts[bin]!;
  for (let k = 0; k < count; k++) {
    const weight = weights[bin * most + k]!;
    const start = toStart + k * step;
    for (let j = 0; j < length; j++) to[start + j]! += weight * from[fromStart + j]!;
  }
}
