import { AsMlpError } from '@as-mlp/base';

/** An 8-bit RGB image: rows from top to bottom, pixels from left to right, 3 bytes a pixel (HWC). */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `height · width · 3` bytes, each 0–255. */
  readonly data: Uint8Array;
}

/** One class index a pixel, row by row: `height · width` values. */
export interface LabelMap<A extends Uint8Array | Uint16Array = Uint8Array | Uint16Array> {
  readonly width: number;
  readonly height: number;
  readonly data: A;
}

/** A size in whole pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** A rectangle of whole pixels inside an image. */
export interface Region extends Size {
  readonly top: number;
  readonly left: number;
}

/** A colour: red, green, blue, each 0–255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** A new image of one colour (black unless given). Throws AsMlpError for a size that is not positive and whole. */
export function createImage(size: Size, colour: Rgb = [0, 0, 0]): RgbImage {
  const { height, width } = checkSize(size);
  const data = new Uint8Array(height * width * 3);
  const [red, green, blue] = colour;
  if (red || green || blue) {
    for (let i = 0; i < data.length; i += 3) {
      data[i] = red;
      data[i + 1] = green;
      data[i + 2] = blue;
    }
  }
  return { height, width, data };
}

/** `size` if both sides are positive whole numbers; AsMlpError otherwise. */
export function checkSize<S extends Size>(size: S): S {
  if (isWhole(size.height, 1) && isWhole(size.width, 1)) return size;
  throw new AsMlpError('image', {
    what: `${size.height}×${size.width} (height × width) is no image size`,
    fix: 'Give positive whole numbers of pixels',
  });
}

/** `region` if it is a non-empty rectangle of whole pixels inside `size`; AsMlpError otherwise. */
export function checkRegion(region: Region, size: Size): Region {
  checkSize(region);
  const inside =
    isWhole(region.top, 0) &&
    isWhole(region.left, 0) &&
    region.top + region.height <= size.height &&
    region.left + region.width <= size.width;
  if (inside) return region;
  throw new AsMlpError('image', {
    what:
      `the rectangle of ${region.height}×${region.width} at row ${region.top}, column ${region.left} ` +
      `does not lie inside ${size.height}×${size.width} (height × width)`,
    fix: 'Choose a smaller rectangle, or resize or pad the image first',
  });
}

/** The rectangle that is all of an image. */
export function wholeRegion(size: Size): Region {
  return { top: 0, left: 0, height: size.height, width: size.width };
}

function isWhole(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least;
}
