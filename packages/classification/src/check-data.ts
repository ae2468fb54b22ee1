import {
  type CheckDataOptions,
  checkData,
  type ImageFacts,
  type Json,
  type LoadSample,
  type PartReport,
} from '@as-mlp/data';
import { openDataset } from './dataset.ts';

/**
 * Looks through the `train` and `val` parts of a data set, as `openDataset` reads it: images of each class, sizes, files that
 * cannot be read.
 */
export function checkClassificationData(data: string, options: CheckDataOptions = {}): Promise<PartReport[]> {
  let labels: readonly string[] | undefined;
  return checkData(
    ['train', 'val'],
    (split) => {
      const dataset = openDataset(data, { split, ...(labels ? { labels } : {}) });
      labels ??= dataset.labels;
      const argument = { data, split, labels } as unknown as Json;
      const load = { module: new URL(import.meta.url), export: 'classificationFacts', argument };
      return { labels, length: dataset.targets.length, load };
    },
    options,
  );
}

/** Makes the function that looks at image `i` of a part; for {@link checkClassificationData}. */
export function classificationFacts(argument: Json): LoadSample<ImageFacts> {
  const { data, split, labels } = argument as unknown as { data: string; split: string; labels: string[] };
  const dataset = openDataset(data, { split, labels });
  return async (index) => {
    const { height, width } = await dataset.load(index);
    const meta = {
      name: dataset.name(index),
      height,
      width,
      labels: [dataset.targets[index]!],
      faults: [],
    };
    return { tensors: {}, meta };
  };
}
