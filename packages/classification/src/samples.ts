import { type Json, type LoadModule, type LoadSample, normalize } from '@as-mlp/data';
import { trainingValues } from './augment.ts';
import type { Augmentation } from './augmentation.ts';
import { openDataset } from './dataset.ts';
import { evaluationCrop, type Preprocessing } from './preprocess.ts';

/** What a loading thread needs to open a data set for itself; plain data. */
export interface SampleSource {
  readonly data: string;
  readonly split: string;
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
  /** Left out for evaluation. */
  readonly augmentation?: Augmentation;
}

/** What tells loading threads to load from `source`. */
export function samplesFrom(source: SampleSource): LoadModule {
  const argument = source as unknown as Json;
  return { module: import.meta.url, export: 'classificationSamples', argument };
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
    const values = augmentation
      ? trainingValues(image, augmentation, preprocessing, rng)
      : normalize(evaluationCrop(image, preprocessing), preprocessing.mean, preprocessing.std);
    return {
      tensors: { image: values, target: Int32Array.of(dataset.targets[index]!) },
      meta: dataset.name(index),
    };
  };
}
