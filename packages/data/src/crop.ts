import { AsMlpError } from '@as-mlp/base';
import { checkRegion, checkSize, type Region, type Rgb, type RgbImage, type Size } from './image.ts';

/** The rectangle `region` of `image`, copied. Throws AsMlpError('image') when it does not lie inside. */
export function crop(image: RgbImage, region: Region): RgbImage {
  const { top, left, height, width } = checkRegion(region, image);
  const data = new Uint8Array(height * width * 3);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(start, start + width * 3), y * width * 3);
  }
  return { height, width, data };
}

/**
 * Where a crop of `size` lies when centred in `image`. Half pixels round to even, as Python's `round` in torchvision's
 * `center_crop`: 58.5 → 58, 59.5 → 60. Throws AsMlpError('image') when the crop is larger than the image.
 */
export function centerRegion(image: Size, size: Size): Region {
  return checkRegion(
    {
      top: halfToEven(image.height - size.height),
      left: halfToEven(image.width - size.width),
      height: size.height,
      width: size.width,
    },
    image,
  );
}

/** `total / 2` for a whole `total`, rounded half to even. */
function halfToEven(total: number): number {
  const half = Math.floor(total / 2);
  return total % 2 === 0 || half % 2 === 0 ? half : half + 1;
}

/** The middle of `image`, `size` pixels large; see {@link centerRegion}. */
export function centerCrop(image: RgbImage, size: Size): RgbImage {
  return crop(image, centerRegion(image, size));
}

/** `image` mirrored left to right. */
export function flipHorizontal(image: RgbImage): RgbImage {
  const { height, width, data } = image;
  const flipped = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    const start = y * width * 3;
    for (let p = start, q = start + (width - 1) * 3; q >= start; p += 3, q -= 3) {
      flipped[q] = data[p]!;
      flipped[q + 1] = data[p + 1]!;
      flipped[q + 2] = data[p + 2]!;
    }
  }
  return { height, width, data: flipped };
}

/** Pixels to add on each side; left out means none. */
export interface Padding {
  readonly top?: number;
  readonly bottom?: number;
  readonly left?: number;
  readonly right?: number;
}

/**
 * `image` with `padding` pixels of `colour` (black unless given) around it.
 * Throws AsMlpError('image') for a padding that is negative or not whole.
 */
export function pad(image: RgbImage, padding: Padding, colour: Rgb = [0, 0, 0]): RgbImage {
  const { top = 0, bottom = 0, left = 0, right = 0 } = padding;
  if (![top, bottom, left, right].every((side) => Number.isInteger(side) && side >= 0)) {
    throw new AsMlpError('image', {
      what: `a padding of ${[top, bottom, left, right].join(', ')} (top, bottom, left, right) is not possible`,
      fix: 'Give whole numbers of pixels, zero or more',
    });
  }
  const height = image.height + top + bottom;
  const width = image.width + left + right;
  checkSize({ height, width });
  const data = new Uint8Array(height * width * 3);
  const [red, green, blue] = colour;
  if (red || green || blue) for (let i = 0; i < data.length; i += 3) data.set(colour, i);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    data.set(row, ((y + top) * width + left) * 3);
  }
  return { height, width, data };
}
