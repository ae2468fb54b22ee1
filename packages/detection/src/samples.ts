import type { Json, LoadModule, LoadSample, RgbImage } from '@as-mlp/data';
import { openExamples } from './data/examples.ts';
import { augmentExample, type DetectionAugmentation } from './training/augment.ts';
import type { DetectionTargets } from './training/roi-targets.ts';

/** What a loading thread needs to open a data set for itself; plain data. */
export interface DetectionSource {
  readonly data: string;
  readonly labels: readonly string[];
  readonly augmentation: DetectionAugmentation;
}

/** An example on its way to a batch. */
export interface DetectionSample {
  readonly image: RgbImage;
  readonly targets: DetectionTargets;
  readonly name: string;
}

/** What tells loading threads to load from `source`. */
export function samplesFrom(source: DetectionSource): LoadModule {
  return { module: import.meta.url, export: 'detectionSamples', argument: source as unknown as Json };
}

/**
 * Makes the function that loads and varies example `i`. Images differ in size, so that all of it stands in `meta`; pixels stay
 * bytes until the batch is put together.
 */
export async function detectionSamples(argument: Json): Promise<LoadSample<DetectionSample>> {
  const { data, labels, augmentation } = argument as unknown as DetectionSource;
  const examples = await openExamples(data, labels);
  return async (index, { rng }) => {
    const { image, ...targets } = augmentExample(await examples.load(index), augmentation, rng);
    return { tensors: {}, meta: { image, targets, name: examples.name(index) } };
  };
}
