import type { RgbImage, Size } from '@as-mlp/data';
import type { HostTensor } from '@as-mlp/train';
import { canvasSize, normalizeOnto, type Preprocessing } from '../predict/preprocess.ts';
import type { Bitmap } from './mask-targets.ts';
import type { DetectionTargets } from './roi-targets.ts';
import type { ImageExtent } from './rpn-targets.ts';

/** Numbers of an object in {@link batchTensors}. */
const PER_OBJECT = 10;

/** A batch on its way to the network. */
export interface DetectionBatch {
  /** `[B, height, width, 3]` normalised values, zero where an image is padded at its right and bottom. */
  readonly images: Float32Array;
  readonly size: Size;
  readonly extents: readonly ImageExtent[];
  readonly targets: readonly DetectionTargets[];
  readonly names: readonly string[];
}

/** One canvas for all images, each normalised and in its upper left corner. */
export function collate(
  samples: readonly { image: RgbImage; targets: DetectionTargets; name: string }[],
  statistics: Pick<Preprocessing, 'mean' | 'std'>,
): DetectionBatch {
  const extents = samples.map(({ image }) => extentOf(image));
  const size = {
    height: Math.max(...extents.map((extent) => extent.padded.height)),
    width: Math.max(...extents.map((extent) => extent.padded.width)),
  };
  const one = size.height * size.width * 3;
  const images = new Float32Array(samples.length * one);
  samples.forEach(({ image }, i) => {
    images.set(normalizeOnto(image, size, statistics), i * one);
  });
  return {
    images,
    size,
    extents,
    targets: samples.map(({ targets }) => targets),
    names: samples.map(({ name }) => name),
  };
}

function extentOf({ height, width }: Size): ImageExtent {
  return { image: { height, width }, padded: canvasSize({ height, width }) };
}

/** The batch as tensors: images `[B, H, W, 3]`, sizes `[B, 2]`, objects `[K, 10]`, and the bytes of all bitmaps. */
export function batchTensors({ images, size, extents, targets }: DetectionBatch): HostTensor[] {
  const objects = targets.flatMap(({ boxes, labels, masks }, image) =>
    masks.map(({ top, left, height, width }, k) => [
      image,
      labels[k]!,
      ...boxes.subarray(4 * k, 4 * k + 4),
      top,
      left,
      height,
      width,
    ]),
  );
  const bitmaps = targets.flatMap(({ masks }) => masks.map(({ data }) => data));
  const bytes = new Int32Array(bitmaps.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const bitmap of bitmaps) {
    bytes.set(bitmap, offset);
    offset += bitmap.length;
  }
  return [
    { shape: [extents.length, size.height, size.width, 3], data: images },
    {
      shape: [extents.length, 2],
      data: Int32Array.from(extents.flatMap(({ image: { height, width } }) => [height, width])),
    },
    { shape: [objects.length, PER_OBJECT], data: Float32Array.from(objects.flat()) },
    { shape: [bytes.length], data: bytes },
  ];
}

/** Inverse of {@link batchTensors}, for all but the images. */
export function readBatch(
  sizes: ArrayLike<number>,
  objects: ArrayLike<number>,
  bytes: Int32Array,
): Pick<DetectionBatch, 'extents' | 'targets'> {
  const extents = Array.from({ length: sizes.length / 2 }, (_, i) =>
    extentOf({ height: sizes[2 * i]!, width: sizes[2 * i + 1]! }),
  );
  const of = extents.map(() => ({ boxes: [] as number[], labels: [] as number[], masks: [] as Bitmap[] }));
  let offset = 0;
  for (let row = 0; row < objects.length; row += PER_OBJECT) {
    const [image, label, x0, y0, x1, y1, top, left, height, width] = Array.from(
      { length: PER_OBJECT },
      (_, i) => objects[row + i]!,
    ) as [number, number, number, number, number, number, number, number, number, number];
    const { boxes, labels, masks } = of[image]!;
    boxes.push(x0, y0, x1, y1);
    labels.push(label);
    const data = Uint8Array.from(bytes.subarray(offset, offset + height * width));
    masks.push({ top, left, height, width, data });
    offset += height * width;
  }
  const targets = of.map(({ boxes, labels, masks }) => ({
    boxes: Float32Array.from(boxes),
    labels: Int32Array.from(labels),
    masks,
  }));
  return { extents, targets };
}
