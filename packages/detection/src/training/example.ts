import {
  crop,
  flipHorizontal,
  nearestSources,
  type Region,
  type RgbImage,
  resize,
  type Size,
} from '@as-mlp/data';
import type { Bitmap } from './mask-targets.ts';

/** An image with the objects in it, numbered 0 … K − 1. */
export interface Example {
  readonly image: RgbImage;
  /** `[K, 4]` boxes x0, y0, x1, y1 in pixels of `image`. */
  readonly boxes: Float32Array;
  /** `[K]` class indices. */
  readonly labels: Int32Array;
  readonly masks: readonly Bitmap[];
}

/** Mirrored left to right. */
export function flipExample({ image, boxes, labels, masks }: Example): Example {
  const { width } = image;
  const flipped = boxes.slice();
  for (let p = 0; p < boxes.length; p += 4) {
    flipped[p] = width - boxes[p + 2]!;
    flipped[p + 2] = width - boxes[p]!;
  }
  const mirror = (mask: Bitmap): Bitmap => ({
    ...mask,
    left: width - mask.left - mask.width,
    data: mask.data.map((_, i) => {
      const column = i % mask.width;
      return mask.data[i + mask.width - 1 - 2 * column]!;
    }),
  });
  return { image: flipHorizontal(image), boxes: flipped, labels, masks: masks.map(mirror) };
}

/** Resized: the image bilinearly, the masks to the nearest pixel, both as OpenCV does; boxes clipped to the image. */
export function resizeExample({ image, boxes, labels, masks }: Example, size: Size): Example {
  const scales = [size.width / image.width, size.height / image.height].map(Math.fround);
  const limits = [size.width, size.height];
  const scaled = boxes.map((value, i) => clamp(Math.fround(value * scales[i % 2]!), limits[i % 2]!));
  const rows = nearestSources(image.height, size.height);
  const columns = nearestSources(image.width, size.width);
  return {
    image: resize(image, size, 'opencv-bilinear'),
    boxes: scaled,
    labels,
    masks: masks.map((mask) => resizeBitmap(mask, rows, columns)),
  };
}

/** The part in `region`; boxes are clipped to it, and objects whose box is then empty are left out. */
export function cropExample({ image, boxes, labels, masks }: Example, region: Region): Example {
  const corner = [region.left, region.top];
  const limits = [region.width, region.height];
  const moved = boxes.map((value, i) => clamp(value - corner[i % 2]!, limits[i % 2]!));
  const kept = masks
    .map((_, k) => k)
    .filter((k) => moved[4 * k + 2]! > moved[4 * k]! && moved[4 * k + 3]! > moved[4 * k + 1]!);
  return {
    image: crop(image, region),
    boxes: Float32Array.from(kept.flatMap((k) => [...moved.subarray(4 * k, 4 * k + 4)])),
    labels: Int32Array.from(kept, (k) => labels[k]!),
    masks: kept.map((k) => cropBitmap(masks[k]!, region)),
  };
}

function clamp(value: number, limit: number): number {
  return Math.min(Math.max(value, 0), limit);
}

/** `rows` and `columns` say where each pixel of the new canvas comes from, ascending. */
function resizeBitmap(mask: Bitmap, rows: Int32Array, columns: Int32Array): Bitmap {
  const [top, bottom] = rangeWithin(rows, mask.top, mask.top + mask.height);
  const [left, right] = rangeWithin(columns, mask.left, mask.left + mask.width);
  const height = bottom - top;
  const width = right - left;
  const data = new Uint8Array(height * width);
  for (let y = 0, o = 0; y < height; y++) {
    const row = (rows[top + y]! - mask.top) * mask.width - mask.left;
    for (let x = 0; x < width; x++) data[o++] = mask.data[row + columns[left + x]!]!;
  }
  return { top, left, height, width, data };
}

/** First index whose source is at least `start`, and first whose source is at least `end`. */
function rangeWithin(sources: Int32Array, start: number, end: number): [number, number] {
  const firstFrom = (least: number) => {
    const index = sources.findIndex((source) => source >= least);
    return index < 0 ? sources.length : index;
  };
  return [firstFrom(start), firstFrom(end)];
}

function cropBitmap(mask: Bitmap, region: Region): Bitmap {
  const top = Math.max(mask.top, region.top);
  const left = Math.max(mask.left, region.left);
  const height = Math.max(0, Math.min(mask.top + mask.height, region.top + region.height) - top);
  const width = Math.max(0, Math.min(mask.left + mask.width, region.left + region.width) - left);
  const data = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    const start = (top - mask.top + y) * mask.width + left - mask.left;
    data.set(mask.data.subarray(start, start + width), y * width);
  }
  return { top: top - region.top, left: left - region.left, height, width, data };
}
