import {
  type CheckDataOptions,
  checkData,
  type ImageFacts,
  type Json,
  type LoadSample,
  type PartReport,
  type Size,
} from '@as-mlp/data';
import type { CocoDataset } from './coco/coco-dataset.ts';
import { type HeldOut, openHeldOut } from './data/examples.ts';

type Split = 'train' | 'val';

/**
 * Looks through the `train` and `val` parts of a data set: objects of each class, sizes, files that cannot be read or have another
 * size than the annotations say, boxes without area or outside their image, masks that cannot be read, and annotations of
 * images or categories that are not listed. Crowds are looked at and not counted.
 */
export function checkDetectionData(data: string, options: CheckDataOptions = {}): Promise<PartReport[]> {
  let classes: readonly string[] | undefined;
  return checkData(
    ['train', 'val'],
    async (split) => {
      const { dataset } = await open(data, split as Split, classes);
      classes ??= dataset.labels;
      const argument = { data, split, classes } as unknown as Json;
      return {
        labels: classes,
        length: dataset.images.length,
        load: { module: new URL(import.meta.url), export: 'detectionFacts', argument },
        faults: dataset.notes.map((note) => `${dataset.source}: ${note}.`),
      };
    },
    options,
  );
}

function open(data: string, split: Split, classes: readonly string[] | undefined): Promise<HeldOut> {
  return openHeldOut(data, { split, ...(classes ? { classes } : {}) });
}

/** Makes the function that looks at image `i` of a part; for {@link checkDetectionData}. */
export async function detectionFacts(argument: Json): Promise<LoadSample<ImageFacts>> {
  const { data, split, classes } = argument as unknown as { data: string; split: Split; classes: string[] };
  const { dataset, load } = await open(data, split, classes);
  return async (index) => {
    const { height, width } = await load(index);
    const faults: string[] = [];
    const wanted = dataset.images[index]!;
    if (wanted.height !== height || wanted.width !== width) {
      faults.push(
        `it is ${width}×${height} pixels, and the annotations say ${wanted.width}×${wanted.height}`,
      );
    }
    const labels: number[] = [];
    const [from, to] = dataset.annotationsOf(index);
    for (let i = from; i < to; i++) {
      const fault = faultOf(dataset, i, wanted, split);
      if (fault !== undefined) faults.push(`annotation ${dataset.annotations.ids[i]} ${fault}`);
      const label = dataset.annotations.label[i]!;
      if (label >= 0 && !dataset.annotations.crowd[i]) labels.push(label);
    }
    return {
      tensors: {},
      meta: { name: wanted.fileName || `image ${wanted.id}`, height, width, labels, faults },
    };
  };
}

function faultOf(
  dataset: CocoDataset,
  annotation: number,
  { height, width }: Size,
  split: Split,
): string | undefined {
  const [x0, y0, x1, y1] = dataset.box(annotation);
  if (!(x1 > x0 && y1 > y0)) return `has a box of ${x1 - x0}×${y1 - y0} pixels`;
  if (x1 <= 0 || y1 <= 0 || x0 >= width || y0 >= height) return 'has a box outside the image';
  if (!dataset.hasMask(annotation)) {
    const isNeeded = split === 'train' && !dataset.annotations.crowd[annotation];
    return isNeeded ? 'has no mask, which training needs' : undefined;
  }
  try {
    dataset.mask(annotation);
    return undefined;
  } catch (error) {
    return `has a mask that cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}
