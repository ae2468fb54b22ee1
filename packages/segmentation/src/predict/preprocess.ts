import {
  applyTable,
  fitInside,
  flipHorizontal,
  opencvNormalizeTable,
  type PerChannel,
  type RgbImage,
  resize,
} from '@as-mlp/data';

/** How an image becomes the network's input. */
export interface Preprocessing {
  /** The image is resized to the largest size whose sides are at most these, in pixels. */
  readonly longSide: number;
  readonly shortSide: number;
  /** Per channel, of values from 0 to 255. */
  readonly mean: PerChannel;
  readonly std: PerChannel;
}

/** The official preprocessing: inside 2048×512, ImageNet statistics. */
export const ADE20K_PREPROCESSING: Preprocessing = {
  longSide: 2048,
  shortSide: 512,
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
};

/** One way to look at an image. */
export interface View {
  /** Times the sides of the preprocessing, which are then truncated to whole pixels; `none` leaves the image as it is. */
  readonly scale: number | 'none';
  /** Whether the image is mirrored, left to right. */
  readonly flipped: boolean;
}

/** The image of a view: resized as OpenCV does, mirrored, and not yet normalised. Nothing is padded. */
export function viewImage(
  image: RgbImage,
  { scale, flipped }: View,
  { longSide, shortSide }: Pick<Preprocessing, 'longSide' | 'shortSide'>,
): RgbImage {
  const side = (pixels: number) => Math.trunc(pixels * (scale as number));
  const resized =
    scale === 'none'
      ? image
      : resize(image, fitInside(image, side(longSide), side(shortSide)), 'opencv-bilinear');
  return flipped ? flipHorizontal(resized) : resized;
}

/** `[H, W, 3]` as the network takes it. */
export function normalizePixels(
  image: RgbImage,
  { mean, std }: Pick<Preprocessing, 'mean' | 'std'>,
): Float32Array {
  return applyTable(image, opencvNormalizeTable(mean, std));
}
