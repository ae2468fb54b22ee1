import { createRng } from '@as-mlp/base';
import { crop, flipHorizontal, type LabelMap, resize, resizeLabels } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import type { Example } from '../data/examples.ts';
import { augmentExample, type SegmentationAugmentation } from './augment.ts';

/** Labels on the left and right halves; colours tell the place. */
function example(height: number, width: number, right = 1): Example {
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % width;
    return [x, Math.floor(i / 3 / width), 90][i % 3]!;
  });
  const labels = Uint8Array.from({ length: height * width }, (_, i) => (i % width < width / 2 ? 0 : right));
  return { image: { height, width, data }, labels: { height, width, data: labels } };
}

const PLAIN: SegmentationAugmentation = {
  longSide: 80,
  shortSide: 40,
  ratio: [1, 1],
  maxClassPart: 1,
  flip: 0,
  distortion: null,
};
const CROP = { height: 24, width: 32 };
const augment = (from: Example, how: Partial<SegmentationAugmentation>, seed: number) =>
  augmentExample(from, CROP, 255, { ...PLAIN, ...how }, createRng(seed));
const cropLabels = ({ width, data }: LabelMap, top: number, left: number) =>
  Uint8Array.from({ length: CROP.height * CROP.width }, (_, i) => {
    const [y, x] = [Math.floor(i / CROP.width), i % CROP.width];
    return data[(top + y) * width + left + x]!;
  });

describe('augmentExample', () => {
  it('gives a part of the resized image with the same part of its labels, mirrored or not', () => {
    const original = example(30, 50);
    const image = resize(original.image, { height: 40, width: 67 }, 'opencv-bilinear');
    const labels = resizeLabels(original.labels, image);
    for (const flip of [0, 1]) {
      const given = augment(original, { flip }, 5);
      const straight = flip ? flipHorizontal(given.image) : given.image;
      let found = 0;
      for (let top = 0; top <= 40 - CROP.height; top++) {
        for (let left = 0; left <= 67 - CROP.width; left++) {
          const part = crop(image, { top, left, ...CROP });
          if (Buffer.compare(part.data, straight.data) !== 0) continue;
          found++;
          const rows = cropLabels(labels, top, left);
          if (flip)
            for (let y = 0; y < CROP.height; y++)
              rows.subarray(y * CROP.width, (y + 1) * CROP.width).reverse();
          expect(given.labels.data).toEqual(rows);
        }
      }
      expect(found).toBe(1);
    }
  });

  it('draws sizes between the limits, whose sides are truncated, and gives smaller images whole', () => {
    const heights = Array.from({ length: 200 }, (_, i) => {
      const { image, labels } = augment(example(30, 50), { longSide: 30, shortSide: 15, ratio: [0.5, 2] }, i);
      expect([labels.height, labels.width]).toEqual([image.height, image.width]);
      return image.height;
    });
    expect(Math.min(...heights)).toBe(7);
    expect(Math.max(...heights)).toBe(24);
  });

  it('tries other crops while one class fills too much, and gives up after ten', () => {
    const mixed = (seed: number, maxClassPart: number) => {
      const { data } = augment(example(40, 80), { maxClassPart }, seed).labels;
      const part = Array.from(data).filter((value) => value === 1).length / data.length;
      return Math.max(part, 1 - part) < 0.75;
    };
    const share = (maxClassPart: number) =>
      Array.from({ length: 200 }, (_, i) => mixed(i, maxClassPart)).filter(Boolean).length / 200;
    expect(share(1)).toBeLessThan(0.6);
    expect(share(0.75)).toBeGreaterThan(0.95);
    // Ignored pixels are no class: one class alone is never mixed, and the last crop is taken all the same.
    expect(augment(example(40, 80, 255), { maxClassPart: 0.75 }, 1).labels.data).toHaveLength(24 * 32);
  });

  it('depends on its arguments alone', () => {
    const how = {
      ratio: [0.5, 2] as const,
      flip: 0.5,
      distortion: { brightness: 32, contrast: [0.5, 1.5], saturation: [0.5, 1.5], hue: 18 } as const,
    };
    expect(augment(example(40, 80), how, 3)).toEqual(augment(example(40, 80), how, 3));
    expect(augment(example(40, 80), how, 3)).not.toEqual(augment(example(40, 80), how, 4));
  });
});
