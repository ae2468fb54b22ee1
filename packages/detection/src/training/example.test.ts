import { createRng } from '@as-mlp/base';
import { resizeLabels } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import { augmentExample } from './augment.ts';
import { cropExample, type Example, flipExample, resizeExample } from './example.ts';
import type { Bitmap } from './mask-targets.ts';

const rng = createRng(3);

/** Noise with two objects: rectangles with holes. */
function example(height: number, width: number): Example {
  const bitmap = (top: number, left: number, h: number, w: number): Bitmap => ({
    top,
    left,
    height: h,
    width: w,
    data: Uint8Array.from(rng.uniform(h * w), (value) => (value < 0.7 ? 1 : 0)),
  });
  const masks = [bitmap(3, 5, 11, 9), bitmap(0, 20, 6, width - 20)];
  return {
    image: { height, width, data: Uint8Array.from(rng.uniform(height * width * 3), (v) => v * 256) },
    boxes: Float32Array.from(
      masks.flatMap(({ top, left, height: h, width: w }) => [left, top, left + w, top + h]),
    ),
    labels: Int32Array.of(4, 7),
    masks,
  };
}

/** A bitmap as the whole canvas. */
function onCanvas({ top, left, height, width, data }: Bitmap, size: { height: number; width: number }) {
  const canvas = new Uint8Array(size.height * size.width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) canvas[(top + y) * size.width + left + x] = data[y * width + x]!;
  }
  return { ...size, data: canvas };
}

describe('flipExample', () => {
  it('mirrors pixels, boxes and masks, and twice is nothing', () => {
    const before = example(17, 31);
    const flipped = flipExample(before);
    const pixel = ({ image }: Example, y: number, x: number) => image.data[(y * image.width + x) * 3 + 1];
    expect(pixel(flipped, 4, 2)).toBe(pixel(before, 4, 28));
    expect([...flipped.boxes.subarray(0, 4)]).toEqual([17, 3, 26, 14]);
    const rows = onCanvas(before.masks[0]!, before.image);
    const mirrored = rows.data.map((_, i) => rows.data[i - (i % 31) + 30 - (i % 31)]!);
    expect(onCanvas(flipped.masks[0]!, flipped.image).data).toEqual(mirrored);
    expect(flipExample(flipped)).toEqual(before);
  });
});

describe('resizeExample', () => {
  it.each([
    [34, 62],
    [25, 50],
    [11, 23],
    [17, 31],
  ])('to %i×%i takes the pixels of a mask that its whole canvas would give', (height, width) => {
    const before = example(17, 31);
    const after = resizeExample(before, { height, width });
    expect([after.image.height, after.image.width]).toEqual([height, width]);
    after.masks.forEach((mask, k) => {
      const whole = resizeLabels(onCanvas(before.masks[k]!, before.image), { height, width });
      expect(onCanvas(mask, { height, width })).toEqual(whole);
    });
    after.boxes.forEach((value, i) => {
      const scale = Math.fround(i % 2 === 0 ? width / 31 : height / 17);
      expect(value).toBe(Math.fround(before.boxes[i]! * scale));
    });
  });
});

describe('cropExample', () => {
  it('clips boxes and masks, and leaves out what is no longer there', () => {
    const before = example(17, 31);
    const region = { top: 5, left: 0, height: 10, width: 10 };
    const after = cropExample(before, region);
    expect([...after.labels]).toEqual([4]);
    expect([...after.boxes]).toEqual([5, 0, 10, 9]);
    const whole = onCanvas(before.masks[0]!, before.image);
    const expected = Uint8Array.from(
      { length: 100 },
      (_, i) => whole.data[(5 + Math.floor(i / 10)) * 31 + (i % 10)]!,
    );
    expect(onCanvas(after.masks[0]!, region).data).toEqual(expected);
  });
});

describe('augmentExample', () => {
  /** The official recipe at a tenth of its sizes. */
  const small = {
    flip: 0.5,
    shortSides: [48, 51, 54],
    longSide: 133,
    crop: 0.5,
    cropShortSides: [40, 50, 60],
    cropSides: [38, 60],
  } as const;

  it('gives sizes of the recipe, sometimes of a crop, and the same for the same chance', () => {
    const before = example(60, 90);
    const ratios = new Set<boolean>();
    for (let seed = 0; seed < 12; seed++) {
      const after = augmentExample(before, small, createRng(seed));
      expect(small.shortSides).toContain(Math.min(after.image.height, after.image.width));
      ratios.add(Math.abs(after.image.width / after.image.height - 1.5) < 0.01);
      expect(augmentExample(before, small, createRng(seed))).toEqual(after);
    }
    expect(ratios.size).toBe(2);
  });
});
