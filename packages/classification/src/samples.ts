import type { Rng } from '@as-mlp/base';
import {
  crop,
  cropResize,
  flipHorizontal,
  type Json,
  type LoadSample,
  normalize,
  pad,
  type RgbImage,
  randomResizedCropRegion,
} from '@as-mlp/data';
import { openDataset } from './dataset.ts';
import { evaluationCrop, type Preprocessing } from './preprocess.ts';

/** How training images are varied. */
export type Augmentation =
  | {
      /** ImageNet: a random part of the image, resized to the input (bicubic), mirrored at random. */
      readonly kind: 'random-resized-crop';
      /** Least and greatest part of the area. */
      readonly scale: readonly [number, number];
      /** Least and greatest width over height. */
      readonly ratio: readonly [number, number];
      /** Probability of mirroring. */
      readonly flip: number;
    }
  | {
      /** Small centred images such as digits: the evaluation crop, moved by up to `pixels` each way, black outside. */
      readonly kind: 'shift';
      readonly pixels: number;
      readonly flip: number;
    };

/** What a loading thread needs to open a data set for itself; plain data. */
export interface SampleSource {
  readonly data: string;
  readonly split: string;
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
  /** Left out for evaluation. */
  readonly augmentation?: Augmentation;
}

/**
 * Makes the function that loads sample `i`: `image`, `[size · size · 3]` normalised values, `target`, one class index,
 * and the name of the image.
 */
export function classificationSamples(argument: Json): LoadSample<string> {
  const source = argument as unknown as SampleSource;
  const { preprocessing, augmentation } = source;
  const dataset = openDataset(source.data, { split: source.split, labels: source.labels });
  return async (index, { rng }) => {
    const image = await dataset.load(index);
    const crop = augmentation
      ? augment(image, augmentation, preprocessing, rng)
      : evaluationCrop(image, preprocessing);
    return {
      tensors: {
        image: normalize(crop, preprocessing.mean, preprocessing.std),
        target: Int32Array.of(dataset.targets[index]!),
      },
      meta: dataset.name(index),
    };
  };
}

/** One training crop of `preprocessing.size`²; a pure function of its arguments. */
export function augment(
  image: RgbImage,
  how: Augmentation,
  preprocessing: Preprocessing,
  rng: Rng,
): RgbImage {
  const varied =
    how.kind === 'random-resized-crop'
      ? cropResize(
          image,
          randomResizedCropRegion(image, rng, how),
          { height: preprocessing.size, width: preprocessing.size },
          'bicubic',
        )
      : moved(evaluationCrop(image, preprocessing), how.pixels, rng);
  return rng.next() < how.flip ? flipHorizontal(varied) : varied;
}

function moved(image: RgbImage, pixels: number, rng: Rng): RgbImage {
  const padded = pad(image, { top: pixels, bottom: pixels, left: pixels, right: pixels });
  const { height, width } = image;
  const region = { top: rng.int(2 * pixels + 1), left: rng.int(2 * pixels + 1), height, width };
  return crop(padded, region);
}
