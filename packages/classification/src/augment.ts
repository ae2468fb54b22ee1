import type { Rng } from '@as-mlp/base';
import {
  colorJitter,
  crop,
  cropResize,
  drawMethod,
  flipHorizontal,
  normalize,
  pad,
  type Rgb,
  type RgbImage,
  randAugment,
  randomErasing,
  randomResizedCropRegion,
} from '@as-mlp/data';
import type { Augmentation } from './augmentation.ts';
import { evaluationCrop, type Preprocessing } from './preprocess.ts';

type RandomCrops = Extract<Augmentation, { kind: 'random-resized-crop' }>;

/** One training image of `preprocessing.size`², before its values are normalised; a pure function of its arguments. */
export function augment(
  image: RgbImage,
  how: Augmentation,
  preprocessing: Preprocessing,
  rng: Rng,
): RgbImage {
  if (how.kind === 'random-resized-crop')
    return varied(randomCrop(image, how, preprocessing, rng), how, preprocessing, rng);
  return mirrored(moved(evaluationCrop(image, preprocessing), how.pixels, rng), how.flip, rng);
}

/** One training image as the network gets it, `[size · size · 3]` normalised values; a pure function of its arguments. */
export function trainingValues(
  image: RgbImage,
  how: Augmentation,
  preprocessing: Preprocessing,
  rng: Rng,
): Float32Array {
  const final = augment(image, how, preprocessing, rng);
  const values = normalize(final, preprocessing.mean, preprocessing.std);
  return how.kind === 'random-resized-crop' ? randomErasing(values, final, how.erasing, rng) : values;
}

function randomCrop(image: RgbImage, how: RandomCrops, { size }: Preprocessing, rng: Rng): RgbImage {
  const region = randomResizedCropRegion(image, rng, how);
  const method = how.interpolation === 'random' ? drawMethod(rng) : how.interpolation;
  return mirrored(cropResize(image, region, { height: size, width: size }, method), how.flip, rng);
}

function varied(image: RgbImage, how: RandomCrops, { mean }: Preprocessing, rng: Rng): RgbImage {
  const { randAugment: options, colorJitter: amount, interpolation } = how;
  if (options) {
    const fill = mean.map((value) => Math.min(255, Math.round(255 * value))) as unknown as Rgb;
    return randAugment(image, { ...options, interpolation, fill }, rng);
  }
  return amount === null ? image : colorJitter(image, amount, rng);
}

function mirrored(image: RgbImage, probability: number, rng: Rng): RgbImage {
  return rng.next() < probability ? flipHorizontal(image) : image;
}

function moved(image: RgbImage, pixels: number, rng: Rng): RgbImage {
  const padded = pad(image, { top: pixels, bottom: pixels, left: pixels, right: pixels });
  const { height, width } = image;
  const region = { top: rng.int(2 * pixels + 1), left: rng.int(2 * pixels + 1), height, width };
  return crop(padded, region);
}
