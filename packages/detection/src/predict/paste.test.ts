import { expect, it } from 'vitest';
import { decodeMask, rleArea, rleFromJson } from '../coco/rle.ts';
import { golden, wave } from '../golden.fixture.ts';
import { pasteMask } from './paste.ts';

interface Expected {
  readonly height: number;
  readonly width: number;
  readonly boxes: number[][];
  readonly area: number[];
  readonly rle: { size: number[]; counts: string }[];
  readonly uncertain_pixels: number[];
  readonly probes: [index: number, y: number, x: number, value: number][];
}
const expected = golden<Expected>('unit/paste.json');
const { height, width, boxes } = expected;
const SIDE = 28;
const all = wave(8 * SIDE * SIDE, 0.09, 0.0021).map((v) => 1 / (1 + Math.exp(-(2.5 * v + 0.4))));
const mask = (i: number) => all.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);

it('gives the official masks', () => {
  for (const [i, box] of boxes.entries()) {
    const rle = pasteMask(mask(i), Float32Array.from(box), { height, width });
    const uncertain = expected.uncertain_pixels[i]!;
    expect(Math.abs(rleArea(rle) - expected.area[i]!)).toBeLessThanOrEqual(uncertain);
    const [own, official] = [decodeMask(rle), decodeMask(rleFromJson(expected.rle[i]))];
    expect(own.filter((inside, at) => inside !== official[at]).length).toBeLessThanOrEqual(uncertain);
  }
});

it('interpolates as officially, which other thresholds show', () => {
  for (const [i, y, x, value] of expected.probes) {
    const isInside = (threshold: number) => {
      const rle = pasteMask(mask(i), Float32Array.from(boxes[i]!), { height, width }, threshold);
      return decodeMask(rle)[y * width + x] === 1;
    };
    expect(isInside(value + 1e-5)).toBe(false);
    if (value > 1e-5) expect(isInside(value - 1e-5)).toBe(true);
  }
});

it('is empty for a box without width, and covers what a full mask covers', () => {
  const full = new Float32Array(4).fill(1);
  const image = { height: 5, width: 4 };
  expect([...pasteMask(full, [1, 1, 1, 3], image).counts]).toEqual([20]);
  // Whole columns: runs of neighbouring columns are one.
  expect([...pasteMask(full, [1, 0, 3, 5], image).counts]).toEqual([5, 10, 5]);
  expect([...pasteMask(full, [-9, -9, 9, 9], image).counts]).toEqual([0, 20]);
  expect([...pasteMask(full, [50, 50, 60, 60], image).counts]).toEqual([20]);
});
