import {
  fitInside,
  opencvNormalizeTable,
  type PerChannel,
  type RgbImage,
  resize,
  type Size,
} from '@as-mlp/data';

/** How an image becomes the network's input. */
export interface Preprocessing {
  /** The longer side is at most this many pixels. */
  readonly longSide: number;
  /** The shorter side is this many pixels, or fewer where the longer one would become too long. */
  readonly shortSide: number;
  /** Per channel, of values from 0 to 255. */
  readonly mean: PerChannel;
  readonly std: PerChannel;
}

/** The official preprocessing: at most 1333×800, ImageNet statistics. */
export const COCO_PREPROCESSING: Preprocessing = {
  longSide: 1333,
  shortSide: 800,
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
};

/** Canvases are padded to a multiple of this. */
export const CANVAS_MULTIPLE = 32;

/** An image as the network sees it. */
export interface PreparedImage {
  /** `[canvas.height, canvas.width, 3]`, normalised; zeros right of and below the image. */
  readonly values: Float32Array;
  readonly canvas: Size;
  /** Of the resized image, without padding. */
  readonly resized: Size;
  /** Of the original image. */
  readonly original: Size;
  /** Resized pixels per original pixel: x, y, x, y, as float32. They differ a little, since sizes are whole. */
  readonly scale: Float32Array;
}

/** `size` with both sides up to the next multiple of 32. */
export function canvasSize({ height, width }: Size): Size {
  const up = (pixels: number) => Math.ceil(pixels / CANVAS_MULTIPLE) * CANVAS_MULTIPLE;
  return { height: up(height), width: up(width) };
}

/** Resizes as OpenCV does, normalises, and pads with zeros on the right and at the bottom. */
export function prepareImage(image: RgbImage, preprocessing: Preprocessing): PreparedImage {
  const original = { height: image.height, width: image.width };
  const resized = fitInside(original, preprocessing.longSide, preprocessing.shortSide);
  const small = resize(image, resized, 'opencv-bilinear');
  const ratio = [resized.width / original.width, resized.height / original.height];
  const scale = Float32Array.of(...ratio, ...ratio);
  const canvas = canvasSize(resized);
  return { values: normalizeOnto(small, canvas, preprocessing), canvas, resized, original, scale };
}

/** `(byte − mean) / std` as OpenCV computes it, at the upper left of a canvas of zeros: `[canvas.height, canvas.width, 3]`. */
export function normalizeOnto(
  { height, width, data }: RgbImage,
  canvas: Size,
  { mean, std }: Pick<Preprocessing, 'mean' | 'std'>,
): Float32Array {
  const table = opencvNormalizeTable(mean, std);
  const values = new Float32Array(canvas.height * canvas.width * 3);
  for (let row = 0, from = 0; row < height; row++) {
    let to = row * canvas.width * 3;
    for (const end = from + width * 3; from < end; from += 3, to += 3) {
      values[to] = table[data[from]!]!;
      values[to + 1] = table[256 + data[from + 1]!]!;
      values[to + 2] = table[512 + data[from + 2]!]!;
    }
  }
  return values;
}
