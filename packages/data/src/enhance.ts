import type { RgbImage } from './image.ts';
import { lookUp, tableOf } from './pixel-tables.ts';

/**
 * `factor` times as bright, clipped: 0 is black, 1 the image itself. As Pillow's `ImageEnhance.Brightness`.
 */
export function adjustBrightness(image: RgbImage, factor: number): RgbImage {
  const blend = blender(factor);
  return lookUp(
    image,
    tableOf((byte) => blend(0, byte)),
  );
}

/**
 * `factor` times as far from the mean grey, clipped: 0 is that grey, 1 the image itself. As Pillow's
 * `ImageEnhance.Contrast`.
 */
export function adjustContrast(image: RgbImage, factor: number): RgbImage {
  const { data } = image;
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += luma(data, i);
  const grey = Math.floor(sum / (image.height * image.width) + 0.5);
  const blend = blender(factor);
  return lookUp(
    image,
    tableOf((byte) => blend(grey, byte)),
  );
}

/**
 * `factor` times as colourful, clipped: 0 is grey, 1 the image itself. As Pillow's `ImageEnhance.Color`; torchvision calls it
 * saturation.
 */
export function adjustColor({ height, width, data }: RgbImage, factor: number): RgbImage {
  const blend = blender(factor);
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const grey = luma(data, i);
    bytes[i] = blend(grey, data[i]!);
    bytes[i + 1] = blend(grey, data[i + 1]!);
    bytes[i + 2] = blend(grey, data[i + 2]!);
  }
  return { height, width, data: bytes };
}

/** A smoothed byte by the weighted sum of its 3×3 neighbourhood: ⌊sum / 13 + ½⌋. */
const SMOOTH = Uint8Array.from({ length: 13 * 255 + 1 }, (_, sum) => (2 * sum + 13) / 26);

/**
 * `factor` times as far from the smoothed image, clipped: 0 is smooth, 1 the image itself. The pixels at the border stay.
 * As Pillow's `ImageEnhance.Sharpness`.
 */
export function adjustSharpness({ height, width, data }: RgbImage, factor: number): RgbImage {
  const blend = blender(factor);
  const bytes = data.slice();
  const stride = width * 3;
  const columns = new Int32Array(stride);
  for (let y = 1; y < height - 1; y++) {
    const row = y * stride;
    for (let i = 0; i < stride; i++) {
      columns[i] = data[row - stride + i]! + data[row + i]! + data[row + stride + i]!;
    }
    for (let i = 3; i < stride - 3; i++) {
      const byte = data[row + i]!;
      const sum = columns[i - 3]! + columns[i]! + columns[i + 3]! + 4 * byte;
      bytes[row + i] = blend(SMOOTH[sum]!, byte);
    }
  }
  return { height, width, data: bytes };
}

/** Rec. 601 luma of the pixel at `i`, with 16 fractional bits and rounded, as Pillow converts to grey. */
function luma(data: Uint8Array, i: number): number {
  return (data[i]! * 19595 + data[i + 1]! * 38470 + data[i + 2]! * 7471 + 0x8000) >> 16;
}

/** `from + factor · (to − from)` in float32, clipped and truncated to a byte, as Pillow's `Image.blend`. */
function blender(factor: number): (from: number, to: number) => number {
  const { fround } = Math;
  const alpha = fround(factor);
  return (from, to) => {
    const value = fround(from + fround(alpha * (to - from)));
    return Math.trunc(Math.min(255, Math.max(0, value)));
  };
}
