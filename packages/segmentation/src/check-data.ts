import {
  type CheckDataOptions,
  checkData,
  type ImageFacts,
  type Json,
  type LoadSample,
  type PartReport,
} from '@as-mlp/data';
import { type ExampleOptions, openExamples } from './data/examples.ts';
import type { Split } from './data/segmentation-folder.ts';

/**
 * Looks through the `train` and `val` parts of a data set: images that have each class, sizes, files that cannot be read, label
 * maps of another size and labels that are no class. Images whose pixels are all ignored count as empty.
 */
export function checkSegmentationData(
  data: string,
  { reduceZeroLabel, ...options }: CheckDataOptions & ExampleOptions = {},
): Promise<PartReport[]> {
  return checkData(
    ['train', 'val'],
    (split) => {
      const { labels, length } = openExamples(data, split as Split, { reduceZeroLabel });
      const argument = { data, split, reduceZeroLabel: reduceZeroLabel ?? null };
      return {
        labels,
        length,
        load: { module: new URL(import.meta.url), export: 'segmentationFacts', argument },
      };
    },
    options,
  );
}

/** Makes the function that looks at image `i` of a part; for {@link checkSegmentationData}. */
export function segmentationFacts(argument: Json): LoadSample<ImageFacts> {
  const { data, split, ...options } = argument as unknown as { data: string; split: Split } & ExampleOptions;
  const examples = openExamples(data, split, options);
  return async (index) => {
    const { image, labels } = await examples.load(index);
    const seen = new Uint8Array(examples.labels.length);
    for (const label of labels.data) if (label !== examples.ignore) seen[label] = 1;
    const present = [...seen.keys()].filter((label) => seen[label] === 1);
    const { height, width } = image;
    return { tensors: {}, meta: { name: examples.name(index), height, width, labels: present, faults: [] } };
  };
}
