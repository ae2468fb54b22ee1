import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';

/** What stands outside the map while shifting; the published models use `zero`. */
export type ShiftPadding = 'zero' | 'circular' | 'reflect' | 'replicate';

/** Options of the shift along one axis. */
export interface ShiftOptions {
  /** Number of channel groups, odd; 1 is the identity. */
  readonly size: number;
  /** Distance between the displacements of neighbouring groups, 1 unless dilated. */
  readonly dilation?: number;
  readonly padding?: ShiftPadding;
}

/** Channels `[first, end)` and the distance they travel towards larger indices. */
export interface ShiftGroup {
  readonly first: number;
  readonly end: number;
  readonly displacement: number;
}

/**
 * The groups of `channels` for a shift of `size`: width ⌈channels / size⌉, displacement group − ⌊size / 2⌋, times the
 * dilation. The last group takes the remainder, and few channels may leave fewer groups than `size`.
 */
export function shiftGroups(channels: number, size: number, dilation = 1): ShiftGroup[] {
  if (!Number.isInteger(size) || size < 1 || size % 2 === 0) {
    throw new AsMlpError('usage', {
      what: `a shift size of ${size} has no middle group`,
      fix: 'Use an odd number: 1, 3, 5, 7, 9',
    });
  }
  if (!Number.isInteger(dilation) || dilation < 1) {
    throw new AsMlpError('usage', {
      what: `a dilation of ${dilation} is no distance`,
      fix: 'Use 1, 2, 3, …',
    });
  }
  const width = Math.ceil(channels / size);
  const half = Math.floor(size / 2);
  const groups: ShiftGroup[] = [];
  for (let first = 0; first < channels; first += width) {
    const displacement = (groups.length - half) * dilation;
    groups.push({ first, end: Math.min(first + width, channels), displacement });
  }
  return groups;
}

/**
 * Axial shift (AS-MLP, section 3.2): channel group g of `[B, H, W, C]` moves by its displacement d along one axis,
 * `out[i] = in[i − d]`; what would come from outside the map is taken from `padding`:
 *
 * - `zero`: 0, as published (content that leaves the map is lost);
 * - `circular`: the other end, index modulo the length;
 * - `reflect`: mirrored without repeating the edge, `…2 1 | 0 1 2…`;
 * - `replicate`: the edge element.
 */
export function axialShift(x: tf.Tensor4D, axis: 'height' | 'width', options: ShiftOptions): tf.Tensor4D {
  const { size, dilation = 1, padding = 'zero' } = options;
  const groups = shiftGroups(x.shape[3], size, dilation);
  if (size === 1) return x;
  return padding === 'zero' ? zeroShift(x, axis, groups) : gatherShift(x, axis, groups, padding);
}

/**
 * The published shift as one depthwise convolution whose kernels hold a single 1: exact for finite values, and more than
 * twice as fast as padding, slicing and concatenating. The gradient is the shift the other way.
 */
function zeroShift(x: tf.Tensor4D, axis: 'height' | 'width', groups: ShiftGroup[]): tf.Tensor4D {
  const shift = tf.customGrad((input) => ({
    value: convolveShift(input as tf.Tensor4D, axis, groups, 1),
    gradFunc: (dy: tf.Tensor) => convolveShift(dy as tf.Tensor4D, axis, groups, -1),
  }));
  return shift(x) as tf.Tensor4D;
}

function convolveShift(
  x: tf.Tensor4D,
  axis: 'height' | 'width',
  groups: ShiftGroup[],
  sign: 1 | -1,
): tf.Tensor4D {
  return tf.tidy(() => {
    const channels = x.shape[3];
    const reach = Math.max(...groups.map(({ displacement }) => Math.abs(displacement)));
    const length = 2 * reach + 1;
    const taps = new Float32Array(length * channels);
    for (const { first, end, displacement } of groups) {
      const row = (reach - sign * displacement) * channels;
      taps.fill(1, row + first, row + end);
    }
    const kernel = tf.tensor4d(taps, axis === 'width' ? [1, length, channels, 1] : [length, 1, channels, 1]);
    return tf.depthwiseConv2d(x, kernel, 1, 'same');
  });
}

function gatherShift(
  x: tf.Tensor4D,
  axis: 'height' | 'width',
  groups: ShiftGroup[],
  padding: Exclude<ShiftPadding, 'zero'>,
): tf.Tensor4D {
  const [batch, height, width] = x.shape;
  const length = axis === 'width' ? width : height;
  const moved = groups.map(({ first, end, displacement }) => {
    const group = tf.slice(x, [0, 0, 0, first], [batch, height, width, end - first]);
    const source = Int32Array.from({ length }, (_, i) => insideIndex(i - displacement, length, padding));
    return tf.gather(group, tf.tensor1d(source, 'int32'), axis === 'width' ? 2 : 1);
  });
  return tf.concat(moved, 3);
}

/** The index inside `[0, length)` that stands for `index` under a padding rule. */
function insideIndex(index: number, length: number, padding: Exclude<ShiftPadding, 'zero'>): number {
  const modulo = (period: number) => ((index % period) + period) % period;
  if (padding === 'circular') return modulo(length);
  if (padding === 'replicate') return Math.min(Math.max(index, 0), length - 1);
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = modulo(period);
  return folded < length ? folded : period - folded;
}
