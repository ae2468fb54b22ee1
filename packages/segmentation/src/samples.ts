import type { Json, LoadModule, LoadSample, RgbImage } from '@as-mlp/data';
import { type Example, type ExampleOptions, openExamples } from './data/examples.ts';
import { normalizePixels, type Preprocessing } from './predict/preprocess.ts';
import { augmentExample, type SegmentationAugmentation } from './training/augment.ts';

/** What a loading thread needs to open the training part of a data set for itself; plain data. */
export interface SegmentationSource extends ExampleOptions {
  readonly data: string;
  readonly cropSize: number;
  readonly augmentation: SegmentationAugmentation;
  readonly statistics: Pick<Preprocessing, 'mean' | 'std'>;
}

/** What tells loading threads to load from `source`. */
export function samplesFrom(source: SegmentationSource): LoadModule {
  return { module: import.meta.url, export: 'segmentationSamples', argument: source as unknown as Json };
}

/**
 * Makes the function that loads and varies example `i`: `image`, `[crop · crop · 3]` normalised values, `labels`,
 * `[crop · crop]` class indices, and the name of the image. Images smaller than the crop stand in its upper left corner, with
 * zeros and the ignored index beside them.
 */
export function segmentationSamples(argument: Json): LoadSample<string> {
  const source = argument as unknown as SegmentationSource;
  const { cropSize, augmentation, statistics } = source;
  const examples = openExamples(source.data, 'train', source);
  const crop = { height: cropSize, width: cropSize };
  return async (index, { rng }) => {
    const example = augmentExample(await examples.load(index), crop, examples.ignore, augmentation, rng);
    return {
      tensors: {
        image: padImage(example.image, statistics, cropSize),
        labels: padLabels(example, cropSize, examples.ignore),
      },
      meta: examples.name(index),
    };
  };
}

function padImage(image: RgbImage, statistics: SegmentationSource['statistics'], side: number): Float32Array {
  const values = normalizePixels(image, statistics);
  if (image.height === side && image.width === side) return values;
  const padded = new Float32Array(side * side * 3);
  for (let y = 0, row = image.width * 3; y < image.height; y++) {
    padded.set(values.subarray(y * row, (y + 1) * row), y * side * 3);
  }
  return padded;
}

function padLabels({ labels: { height, width, data } }: Example, side: number, ignore: number): Int32Array {
  const padded = new Int32Array(side * side).fill(ignore);
  for (let y = 0; y < height; y++) padded.set(data.subarray(y * width, (y + 1) * width), y * side);
  return padded;
}
