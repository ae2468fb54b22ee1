import type { CocoDataset } from './coco-dataset.ts';

/** What an image teaches: objects to find, and crowds that are neither right nor wrong. */
export interface TrainingObjects {
  /** `[N · 4]` x0, y0, x1, y1 in pixels of the original image; not clipped to it. */
  readonly boxes: Float32Array;
  /** `[N]` label indices. */
  readonly labels: Int32Array;
  /** `[N]` annotation indices, for the masks. */
  readonly annotations: Int32Array;
  /** `[M · 4]` boxes of crowds. */
  readonly ignored: Float32Array;
}

/**
 * The objects of an image for training, chosen as `CocoDataset` of mmdetection 2.11 does: annotations are passed over that are
 * flagged `ignore`, lie outside the image, have no area, are narrower or lower than a pixel, or have a category that is
 * not among the classes; the boxes of crowds are ignored regions.
 */
export function trainingObjects(dataset: CocoDataset, image: number): TrainingObjects {
  const { annotations } = dataset;
  const { height, width } = dataset.images[image]!;
  const [objects, crowds]: [number[], number[]] = [[], []];
  const [from, to] = dataset.annotationsOf(image);
  for (let i = from; i < to; i++) {
    const [x0, y0, x1, y1] = dataset.box(i);
    const inside =
      Math.max(0, Math.min(x1, width) - Math.max(x0, 0)) *
      Math.max(0, Math.min(y1, height) - Math.max(y0, 0));
    const tiny = annotations.xywh[4 * i + 2]! < 1 || annotations.xywh[4 * i + 3]! < 1;
    if (annotations.ignore[i] || inside === 0 || annotations.area[i]! <= 0 || tiny) continue;
    if (annotations.label[i]! < 0) continue;
    (annotations.crowd[i] ? crowds : objects).push(i);
  }
  const boxes = (of: number[]): Float32Array => Float32Array.from(of.flatMap((i) => [...dataset.box(i)]));
  return {
    boxes: boxes(objects),
    labels: Int32Array.from(objects, (i) => annotations.label[i]!),
    annotations: Int32Array.from(objects),
    ignored: boxes(crowds),
  };
}

/**
 * The images to train on, in the order of the file, chosen as mmdetection 2.11 does: those with an annotation of one of the
 * classes, of whatever kind (so an image that holds a crowd alone stays, without objects), and both sides of at
 * least `minSide` pixels.
 */
export function trainingImages(dataset: CocoDataset, minSide = 32): number[] {
  const { label } = dataset.annotations;
  return [...dataset.images.keys()].filter((image) => {
    const { height, width } = dataset.images[image]!;
    const [from, to] = dataset.annotationsOf(image);
    return Math.min(height, width) >= minSide && label.subarray(from, to).some((index) => index >= 0);
  });
}
