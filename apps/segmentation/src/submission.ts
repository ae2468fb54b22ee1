import { createNamer, type LabelMap, outputFolder, writeLabels } from '@as-mlp/app';
import type { ExampleSource } from '@as-mlp/segmentation';

/**
 * Writes predictions as label maps named after their images and numbered as those of the data set: from 1 where 0 means
 * unlabelled there, as the ADE20K benchmark takes them.
 */
export async function openSubmission(
  folder: string,
  examples: Pick<ExampleSource, 'name' | 'reduceZeroLabel' | 'labels'>,
): Promise<(index: number, labels: LabelMap) => Promise<void>> {
  const nameOf = createNamer(await outputFolder(folder), 'png');
  const first = examples.reduceZeroLabel ? 1 : 0;
  return async (index, labels) => {
    const file = nameOf(examples.name(index).replaceAll(' ', '-'));
    await writeLabels(file, renumbered(labels, first, examples.labels.length));
  };
}

/** Class indices from `first` on, in 16 bits where 8 do not hold them. */
export function renumbered({ height, width, data }: LabelMap, first: number, classes: number): LabelMap {
  const shifted = first + classes > 256 ? Uint16Array.from(data) : Uint8Array.from(data);
  return { height, width, data: shifted.map((value) => value + first) };
}
