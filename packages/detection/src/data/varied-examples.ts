import { createRng } from '@as-mlp/base';
import { epochOrder } from '@as-mlp/data';
import { augmentExample, type DetectionAugmentation } from '../training/augment.ts';
import type { Example } from '../training/example.ts';
import type { Bitmap } from '../training/mask-targets.ts';
import { openExamples } from './examples.ts';

/** A training example as the network sees it, before normalisation. */
export interface VariedExample extends Example {
  readonly name: string;
  /** Names of the classes. */
  readonly classes: readonly string[];
}

/** What to look at: `count` examples, chosen and varied by `seed`. */
export interface VariedExamplesOptions {
  readonly data: string;
  readonly augmentation: DetectionAugmentation;
  readonly count: number;
  readonly seed: number;
}

/** Examples of a data set after augmentation, for people to check boxes and masks. Fewer where the data set has fewer. */
export async function* variedExamples(options: VariedExamplesOptions): AsyncGenerator<VariedExample> {
  const { data, augmentation, count, seed } = options;
  const examples = await openExamples(data);
  const order = epochOrder({ length: examples.sizes.length, seed, shuffle: true });
  const rng = createRng(seed);
  for (const index of order.subarray(0, count)) {
    const example = await examples.load(index);
    const varied = augmentExample(example, augmentation, rng.fork(`example ${index}`));
    yield { ...varied, name: examples.name(index), classes: examples.labels };
  }
}

/** A bitmap on a whole canvas: one byte a pixel, row by row. */
export function wholeMask(
  { top, left, height, width, data }: Bitmap,
  canvas: { readonly height: number; readonly width: number },
): Uint8Array {
  const mask = new Uint8Array(canvas.height * canvas.width);
  for (let y = 0; y < height; y++) {
    mask.set(data.subarray(y * width, (y + 1) * width), (top + y) * canvas.width + left);
  }
  return mask;
}
