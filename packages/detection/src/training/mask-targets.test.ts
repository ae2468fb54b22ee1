import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeMask, type RleJson, rleFromJson } from '../coco/rle.ts';
import { maskTarget } from './mask-targets.ts';

interface MaskTargets {
  readonly bitmap_shape: [count: number, height: number, width: number];
  readonly bitmap_area: number[];
  readonly boxes: number[][];
  readonly gt: number[];
  readonly expected: RleJson[];
}

const { mask_targets: golden } = JSON.parse(
  readFileSync(new URL('../../golden/assign.json', import.meta.url), 'utf8'),
) as { mask_targets: MaskTargets };
const [count, height, width] = golden.bitmap_shape;
/** The formula that the golden file gives for its bitmaps. */
const bitmaps = Array.from({ length: count }, (_, k) =>
  Uint8Array.from({ length: height * width }, (_value, i) => {
    const j = k * height * width + i;
    return Math.sin(0.031 * j) + 0.5 * Math.cos(0.002 * j ** 1.5) > 0.1 ? 1 : 0;
  }),
);
const target = (bitmap: Parameters<typeof maskTarget>[0], box: readonly number[]) => {
  const into = new Float32Array(28 * 28).fill(7);
  maskTarget(bitmap, box, { height, width }, into);
  return [...into];
};

describe('maskTarget', () => {
  it('is made from the bitmaps that the golden file means', () => {
    expect(bitmaps.map((bitmap) => bitmap.reduce((sum, value) => sum + value, 0))).toEqual(
      golden.bitmap_area,
    );
  });

  it.each(golden.boxes.map((box, i) => [box, i] as const))('of the box %j equals the reference', (box, i) => {
    const bitmap = { top: 0, left: 0, height, width, data: bitmaps[golden.gt[i]!]! };
    expect(target(bitmap, box)).toEqual([...decodeMask(rleFromJson(golden.expected[i]!))]);
  });

  it('is the same for a bitmap without its empty margins', () => {
    const [top, left, h, w] = [10, 20, 15, 12];
    const part = new Uint8Array(h * w).map((_, i) => (i % 5 === 0 ? 0 : 1));
    const whole = new Uint8Array(height * width);
    for (let y = 0; y < h; y++) whole.set(part.subarray(y * w, (y + 1) * w), (top + y) * width + left);
    for (const box of golden.boxes) {
      const tight = target({ top, left, height: h, width: w, data: part }, box);
      expect(tight).toEqual(target({ top: 0, left: 0, height, width, data: whole }, box));
    }
  });
});
