import { createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { drawErasing, randomErasing } from './random-erasing.ts';

const SIZE = { height: 224, width: 224 };
const ALWAYS = { probability: 1 };

describe('drawErasing', () => {
  it('erases as often as it is told', () => {
    const rng = createRng(3);
    const trials = Array.from({ length: 4000 }, () => drawErasing(SIZE, { probability: 0.25 }, rng).length);
    const erased = trials.filter((count) => count > 0).length;
    // 4000 · ¼ ± 4.5 standard deviations.
    expect(Math.abs(erased - 1000)).toBeLessThan(4.5 * Math.sqrt(750));
    expect(Math.max(...trials)).toBe(1);
  });

  it('keeps to its area and aspect ratio, and uses all of them', () => {
    const rng = createRng(4);
    const regions = Array.from({ length: 4000 }, () => drawErasing(SIZE, ALWAYS, rng)).flat();
    expect(regions).toHaveLength(4000);
    const areas = regions.map(({ height, width }) => (height * width) / 224 ** 2);
    const aspects = regions.map(({ height, width }) => height / width);
    // Sides are rounded to whole pixels: a little on either side.
    expect(Math.min(...areas)).toBeGreaterThan(0.0188);
    expect(Math.min(...areas)).toBeLessThan(0.022);
    expect(Math.max(...areas)).toBeLessThan(0.337);
    expect(Math.max(...areas)).toBeGreaterThan(0.32);
    const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
    // Uniform in [0.02, ⅓]: mean 0.1767, standard deviation 0.0905.
    expect(Math.abs(mean - 0.17667)).toBeLessThan((4.5 * 0.0905) / Math.sqrt(4000));
    expect(Math.min(...aspects)).toBeGreaterThan(0.28);
    expect(Math.min(...aspects)).toBeLessThan(0.32);
    expect(Math.max(...aspects)).toBeLessThan(3.55);
    const tall = aspects.filter((aspect) => aspect > 1).length;
    expect(Math.abs(tall - 2000)).toBeLessThan(4.5 * Math.sqrt(1000) + 20);
    for (const { top, left, height, width } of regions) {
      expect(top >= 0 && left >= 0 && top + height <= 224 && left + width <= 224).toBe(true);
    }
    expect(Math.max(...regions.map(({ top, height }) => top + height))).toBe(224);
    expect(Math.min(...regions.map(({ left }) => left))).toBe(0);
  });

  it('lets several rectangles share the area', () => {
    const rng = createRng(5);
    const all = Array.from({ length: 500 }, () => drawErasing(SIZE, { ...ALWAYS, count: 3 }, rng));
    expect(new Set(all.map(({ length }) => length))).toEqual(new Set([3]));
    const largest = Math.max(...all.flat().map(({ height, width }) => height * width));
    expect(largest / 224 ** 2).toBeLessThan(0.115);
  });

  it('gives up on an image that no rectangle fits into', () => {
    expect(drawErasing({ height: 1, width: 50 }, ALWAYS, createRng(1))).toEqual([]);
  });
});

describe('randomErasing', () => {
  const values = new Float32Array(224 * 224 * 3).fill(7);

  it('writes normal numbers into the rectangle and nothing elsewhere', () => {
    const [region] = drawErasing(SIZE, ALWAYS, createRng(2));
    const { top, left, height, width } = region!;
    const erased = randomErasing(values, SIZE, { ...ALWAYS, mode: 'pixel' }, createRng(2));
    const inside: number[] = [];
    erased.forEach((value, i) => {
      const y = Math.floor(i / (224 * 3));
      const x = Math.floor(i / 3) % 224;
      const isInside = y >= top && y < top + height && x >= left && x < left + width;
      if (isInside) inside.push(value);
      else if (value !== 7) throw new Error(`pixel ${x}, ${y} was changed`);
    });
    expect(inside).toHaveLength(height * width * 3);
    const mean = inside.reduce((sum, value) => sum + value, 0) / inside.length;
    const variance = inside.reduce((sum, value) => sum + (value - mean) ** 2, 0) / inside.length;
    expect(Math.abs(mean)).toBeLessThan(4.5 / Math.sqrt(inside.length));
    expect(Math.abs(variance - 1)).toBeLessThan(4.5 * Math.sqrt(2 / inside.length));
  });

  it('fills a rectangle with one colour, or with zeros', () => {
    const coloured = randomErasing(values, SIZE, { ...ALWAYS, mode: 'rand' }, createRng(2));
    expect(new Set(coloured).size).toBe(4);
    const [region] = drawErasing(SIZE, ALWAYS, createRng(2));
    const first = (region!.top * 224 + region!.left) * 3;
    expect(new Set(coloured.filter((_, i) => i % 3 === first % 3)).size).toBe(2);
    expect(new Set(randomErasing(values, SIZE, ALWAYS, createRng(2)))).toEqual(new Set([7, 0]));
  });

  it('leaves its input alone', () => {
    expect(randomErasing(values, SIZE, { probability: 0 }, createRng(2))).toBe(values);
    expect(new Set(values)).toEqual(new Set([7]));
  });
});
