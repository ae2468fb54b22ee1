import { AsMlpError } from '@as-mlp/base';
import { normalize, type RgbImage, resizeCenterCrop, shortSideSize } from '@as-mlp/data';

/** How an image becomes the network's input. */
export interface Preprocessing {
  /** Side of the square crop that the network sees, in pixels. */
  readonly size: number;
  /** The short side is resized to ⌊size / cropFraction⌋ before the centre crop; 0.875 officially (224 of 256). */
  readonly cropFraction: number;
  /** Per channel, of values in [0, 1]. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** The official evaluation of the ImageNet checkpoints: short side 256, bicubic, centre 224, ImageNet statistics. */
export const IMAGENET_PREPROCESSING: Preprocessing = {
  size: 224,
  cropFraction: 0.875,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

/** The pixels that the network sees: short side resized (Pillow bicubic), centre cropped to `size`². */
export function evaluationCrop(image: RgbImage, { size, cropFraction }: Preprocessing): RgbImage {
  if (size % 32 !== 0 || size <= 0) {
    throw new AsMlpError('usage', {
      what: `an input of ${size} pixels cannot be halved four times after the patches`,
      fix: 'Use a multiple of 32',
    });
  }
  const resized = shortSideSize(image, Math.floor(size / cropFraction));
  return resizeCenterCrop(image, resized, { height: size, width: size }, 'bicubic');
}

/** Images → normalised `[N, size, size, 3]` values, row-major. */
export function evaluationBatch(images: readonly RgbImage[], preprocessing: Preprocessing): Float32Array {
  const crops = images.map((image) => evaluationCrop(image, preprocessing));
  return normalize(crops, preprocessing.mean, preprocessing.std);
}
