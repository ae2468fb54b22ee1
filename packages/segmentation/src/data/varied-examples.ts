import { createRng } from '@as-mlp/base';
import { epochOrder, type Rgb } from '@as-mlp/data';
import { augmentExample, type SegmentationAugmentation } from '../training/augment.ts';
import { type Example, type ExampleOptions, openExamples } from './examples.ts';

/** A training crop as the network sees it, before normalisation and padding. */
export interface VariedExample extends Example {
  readonly name: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** A colour for each class, where the data set names them. */
  readonly palette: readonly Rgb[] | undefined;
  /** The label of pixels that count for nothing. */
  readonly ignore: number;
}

/** What to look at: `count` examples, chosen and varied by `seed`. */
export interface VariedExamplesOptions extends ExampleOptions {
  readonly data: string;
  readonly augmentation: SegmentationAugmentation;
  readonly cropSize: number;
  readonly count: number;
  readonly seed: number;
}

/** Crops of a data set after augmentation, for people to check label maps. Fewer where the data set has fewer images. */
export async function* variedExamples(options: VariedExamplesOptions): AsyncGenerator<VariedExample> {
  const { data, augmentation, cropSize, count, seed } = options;
  const examples = openExamples(data, 'train', options);
  const { labels: classes, palette, ignore } = examples;
  const order = epochOrder({ length: examples.length, seed, shuffle: true });
  const rng = createRng(seed);
  const crop = { height: cropSize, width: cropSize };
  for (const index of order.subarray(0, count)) {
    const example = await examples.load(index);
    const varied = augmentExample(example, crop, ignore, augmentation, rng.fork(`example ${index}`));
    yield { ...varied, name: examples.name(index), classes, palette, ignore };
  }
}
