import { AsMlpError } from '@as-mlp/base';
import type { RgbImage, Size } from './image.ts';

/** One number for each of red, green and blue. */
export type PerChannel = readonly [red: number, green: number, blue: number];

/**
 * The 3 · 256 values that bytes can become, channel by channel: `(byte / 255 − mean) / std`, every step rounded to
 * float32 in this order, as torchvision's `ToTensor` and `Normalize` compute it.
 */
export function normalizeTable(mean: PerChannel, std: PerChannel): Float32Array {
  const { fround } = Math;
  return byteTable(mean, std, 1, (byte, m, s) => fround(fround(byte / 255) - m) / s);
}

/**
 * The 3 · 256 values that bytes can become, channel by channel: `(byte − mean) / std` as OpenCV computes it, with a
 * difference and a product that are each rounded to float32. `mean` and `std` are for values from 0 to 255.
 */
export function opencvNormalizeTable(mean: PerChannel, std: PerChannel): Float32Array {
  return byteTable(mean, std, 255, (byte, m, s) => Math.fround(byte - m) * (1 / s));
}

function byteTable(
  mean: PerChannel,
  std: PerChannel,
  white: number,
  toValue: (byte: number, mean: number, std: number) => number,
): Float32Array {
  const table = new Float32Array(3 * 256);
  for (let channel = 0; channel < 3; channel++) {
    const m = Math.fround(mean[channel]!);
    const s = Math.fround(std[channel]!);
    if (!(s > 0) || !Number.isFinite(m)) {
      throw new AsMlpError('usage', {
        what: `a mean of ${mean[channel]} and a standard deviation of ${std[channel]} cannot normalise an image`,
        fix: `Give finite means and positive standard deviations, for values from 0 to ${white}`,
      });
    }
    for (let byte = 0; byte < 256; byte++) table[channel * 256 + byte] = toValue(byte, m, s);
  }
  return table;
}

/**
 * `(byte / 255 − mean) / std` in float32 for one image `[H, W, 3]` or a batch `[N, H, W, 3]` of images of one size, in one
 * row-major array. `mean` and `std` are for values in [0, 1]. Throws AsMlpError('image') when the sizes differ.
 */
export function normalize(
  images: RgbImage | readonly RgbImage[],
  mean: PerChannel,
  std: PerChannel,
): Float32Array {
  return applyTable(images, normalizeTable(mean, std));
}

/**
 * Each byte replaced by `table[channel · 256 + byte]`: one image `[H, W, 3]` or a batch `[N, H, W, 3]` of images of one
 * size, in one row-major array. Throws AsMlpError('image') when the sizes differ.
 */
export function applyTable(images: RgbImage | readonly RgbImage[], table: Float32Array): Float32Array {
  const batch = 'data' in images ? [images] : images;
  const first = batch[0];
  if (!first) return new Float32Array(0);
  const values = new Float32Array(batch.length * first.data.length);
  let offset = 0;
  for (const { height, width, data } of batch) {
    if (height !== first.height || width !== first.width) {
      throw new AsMlpError('image', {
        what: `images of ${first.height}×${first.width} and ${height}×${width} (height × width) cannot form a batch`,
        fix: 'Resize or crop them to one size first',
      });
    }
    for (let i = 0; i < data.length; i += 3, offset += 3) {
      values[offset] = table[data[i]!]!;
      values[offset + 1] = table[256 + data[i + 1]!]!;
      values[offset + 2] = table[512 + data[i + 2]!]!;
    }
  }
  return values;
}

/**
 * The image that normalised values `[H, W, 3]` come from: the inverse of {@link normalize}, and with `white` 255 of a table
 * whose mean and standard deviation are for values from 0 to 255.
 */
export function denormalize(
  values: Float32Array,
  { height, width }: Size,
  mean: PerChannel,
  std: PerChannel,
  white: 1 | 255 = 1,
): RgbImage {
  const data = Uint8ClampedArray.from(values, (value, i) => {
    return ((value * std[i % 3]! + mean[i % 3]!) * 255) / white;
  });
  return { height, width, data: new Uint8Array(data.buffer) };
}
