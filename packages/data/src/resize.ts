import { centerRegion } from './crop.ts';
import { checkRegion, checkSize, type Region, type RgbImage, type Size, wholeRegion } from './image.ts';
import { resizeNearest } from './nearest.ts';
import { resizeLinear } from './opencv.ts';
import { resample } from './resample.ts';
import { bicubicFilter, bilinearFilter } from './taps.ts';

/**
 * How to resize.
 * - `bicubic`, `bilinear`: antialiased, equal to the last bit to Pillow's `Image.resize` (what torchvision and timm call).
 * - `opencv-bilinear`: equal to the last bit to OpenCV's `INTER_LINEAR` (what mmcv calls); not antialiased.
 * - `nearest`: Pillow's `NEAREST`. For label maps see `resizeLabels`.
 */
export type ResizeMethod = 'bicubic' | 'bilinear' | 'opencv-bilinear' | 'nearest';

/**
 * `image` at `size` (pixels). Returns `image` itself when the size is already right; a new image otherwise.
 * Throws AsMlpError('image') for a size that is not positive and whole.
 */
export function resize(image: RgbImage, size: Size, method: ResizeMethod): RgbImage {
  return resizePart(image, wholeRegion(image), size, wholeRegion(size), method);
}

/**
 * The rectangle `window` of `resize(image, size, method)`, bit for bit, without computing the rest of it.
 * Throws AsMlpError('image') when the rectangle does not lie inside `size`.
 */
export function resizeCrop(image: RgbImage, size: Size, window: Region, method: ResizeMethod): RgbImage {
  return resizePart(image, wholeRegion(image), size, window, method);
}

/** `centerCrop(resize(image, size, method), crop)`, bit for bit, without computing what is cropped away. */
export function resizeCenterCrop(image: RgbImage, size: Size, crop: Size, method: ResizeMethod): RgbImage {
  return resizeCrop(image, size, centerRegion(size, crop), method);
}

/**
 * `resize(crop(image, region), size, method)`, bit for bit, without the copy: pixels outside `region` have no influence.
 * Throws AsMlpError('image') when the rectangle does not lie inside the image.
 */
export function cropResize(image: RgbImage, region: Region, size: Size, method: ResizeMethod): RgbImage {
  return resizePart(image, region, size, wholeRegion(size), method);
}

/**
 * The size at which the shorter side is `target` pixels: the longer side keeps the aspect ratio and is truncated, and
 * an image whose shorter side is right already keeps its size (torchvision's `Resize(int)`).
 */
export function shortSideSize(size: Size, target: number): Size {
  const { height, width } = size;
  if (Math.min(height, width) === target) return { height, width };
  return height <= width
    ? { height: target, width: Math.trunc((target * width) / height) }
    : { height: Math.trunc((target * height) / width), width: target };
}

/**
 * The largest size with the proportions of `size` whose longer side is at most `longSide` and whose shorter side is at most
 * `shortSide`, rounded, and 1 pixel at least (mmcv's `imrescale`). It may be larger than `size`.
 */
export function fitInside({ height, width }: Size, longSide: number, shortSide: number): Size {
  const factor = Math.min(longSide / Math.max(height, width), shortSide / Math.min(height, width));
  const side = (pixels: number) => Math.max(1, Math.floor(pixels * factor + 0.5));
  return { height: side(height), width: side(width) };
}

function resizePart(
  image: RgbImage,
  region: Region,
  size: Size,
  window: Region,
  method: ResizeMethod,
): RgbImage {
  checkRegion(region, image);
  checkRegion(window, checkSize(size));
  const { height, width } = window;
  const unchanged =
    region.height === size.height &&
    region.width === size.width &&
    height === image.height &&
    width === image.width;
  if (unchanged) return image;
  return { height, width, data: bytesOf(method, image, region, size, window) };
}

function bytesOf(
  method: ResizeMethod,
  image: RgbImage,
  region: Region,
  size: Size,
  window: Region,
): Uint8Array {
  switch (method) {
    case 'bicubic':
      return resample(image, region, size, window, bicubicFilter);
    case 'bilinear':
      return resample(image, region, size, window, bilinearFilter);
    case 'opencv-bilinear':
      return resizeLinear(image, region, size, window);
    case 'nearest':
      return resizeNearest(image, region, size, window);
  }
}
