import { decodeAnnotated, type RgbImage, type Size } from '@as-mlp/data';
import type { CocoDataset } from '../coco/coco-dataset.ts';
import { openCoco, parseCoco } from '../coco/open-coco.ts';
import { decodeMask } from '../coco/rle.ts';
import { trainingImages, trainingObjects } from '../coco/training-objects.ts';
import type { Example } from '../training/example.ts';
import type { Bitmap } from '../training/mask-targets.ts';
import { findCocoFolder } from './coco-folder.ts';
import { DIGIT_SCENES, openScenes, scenesToCoco } from './digit-scenes.ts';

/** Examples to train on, in a fixed order. */
export interface ExampleSource {
  readonly labels: readonly string[];
  readonly sizes: readonly Size[];
  /** Names an example in messages. */
  name(index: number): string;
  load(index: number): Promise<Example>;
}

/**
 * The training part of a COCO folder, or scenes of handwritten digits for `digit-scenes`.
 *
 * @param classes in label order; the categories of the file unless given.
 */
export async function openExamples(data: string, classes?: readonly string[]): Promise<ExampleSource> {
  if (data === DIGIT_SCENES) return sceneExamples();
  const { annotations, images: root } = findCocoFolder(data, 'train');
  const dataset = await openCoco(annotations, classes ? { classes } : {});
  const images = trainingImages(dataset);
  return {
    labels: dataset.labels,
    sizes: images.map((image) => dataset.images[image]!),
    name: (index) => dataset.images[images[index]!]!.fileName,
    load: async (index) => cocoExample(dataset, root, images[index]!),
  };
}

function sceneExamples(): ExampleSource {
  const scenes = openScenes('train');
  const { height, width } = scenes.scene(0).image;
  return {
    labels: scenes.labels,
    sizes: Array.from({ length: scenes.length }, () => ({ height, width })),
    name: (index) => `scene ${index}`,
    load: async (index) => {
      const { image, objects } = scenes.scene(index);
      return {
        image,
        boxes: Float32Array.from(
          objects.flatMap(({ left, top, width: w, height: h }) => [left, top, left + w, top + h]),
        ),
        labels: Int32Array.from(objects, ({ label }) => label),
        masks: objects.map(({ label: _, mask: data, ...region }) => ({ ...region, data })),
      };
    },
  };
}

async function cocoExample(dataset: CocoDataset, root: string, index: number): Promise<Example> {
  const image = await loadImage(dataset, root, index);
  const { boxes, labels, annotations } = trainingObjects(dataset, index);
  const masks = Array.from(annotations, (annotation) =>
    tightBitmap(decodeMask(dataset.mask(annotation)), image),
  );
  return { image, boxes, labels, masks };
}

async function loadImage(dataset: CocoDataset, root: string, index: number): Promise<RgbImage> {
  return await decodeAnnotated(dataset.imagePath(root, index), dataset.images[index]!);
}

/** The smallest rectangle that holds all pixels of a mask on its canvas. */
function tightBitmap(mask: Uint8Array, { height, width }: Size): Bitmap {
  let [top, left, bottom, right] = [height, width, 0, 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (mask[i] === 0) continue;
      top = Math.min(top, y);
      bottom = y + 1;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
    }
  }
  if (bottom === 0) return { top: 0, left: 0, height: 0, width: 0, data: new Uint8Array(0) };
  const data = new Uint8Array((bottom - top) * (right - left));
  for (let y = top; y < bottom; y++) {
    data.set(mask.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  }
  return { top, left, height: bottom - top, width: right - left, data };
}

/** Images to evaluate on, with what is in them. */
export interface HeldOut {
  readonly dataset: CocoDataset;
  /** The image with this index in `dataset.images`. */
  load(index: number): Promise<RgbImage>;
}

/** Which images to evaluate on. */
export interface HeldOutOptions {
  /** Classes of the model, in label order; the categories of the file unless given. */
  readonly classes?: readonly string[];
  /** The part of the data set; `val` unless given. */
  readonly split?: 'train' | 'val';
  /** Only its first images, this many. */
  readonly limit?: number;
}

/** The `val` part of a COCO folder, or held-out scenes of handwritten digits for `digit-scenes`. */
export async function openHeldOut(
  data: string,
  { split = 'val', ...options }: HeldOutOptions = {},
): Promise<HeldOut> {
  if (data === DIGIT_SCENES) {
    const scenes = openScenes(split, options.limit);
    const dataset = parseCoco(scenesToCoco(scenes), DIGIT_SCENES, options);
    return { dataset, load: async (index) => scenes.scene(index).image };
  }
  const { annotations, images: root } = findCocoFolder(data, split);
  const dataset = await openCoco(annotations, options);
  return { dataset, load: (index) => loadImage(dataset, root, index) };
}
