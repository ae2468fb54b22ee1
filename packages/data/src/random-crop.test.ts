import { createRng } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRegion } from './image.ts';
import { randomResizedCropRegion } from './random-crop.ts';

const side = fc.integer({ min: 1, max: 600 });

describe('randomResizedCropRegion', () => {
  it('lies inside any image', () => {
    fc.assert(
      fc.property(side, side, fc.nat(), (height, width, seed) => {
        checkRegion(randomResizedCropRegion({ height, width }, createRng(seed)), { height, width });
      }),
    );
  });

  it('keeps to its scale and ratio, and uses all of them', () => {
    const rng = createRng(4);
    const image = { height: 500, width: 500 };
    const crops = Array.from({ length: 2000 }, () => randomResizedCropRegion(image, rng));
    const areas = crops.map(({ height, width }) => (height * width) / (500 * 500));
    const ratios = crops.map(({ height, width }) => width / height);
    expect(Math.min(...areas)).toBeGreaterThan(0.078);
    expect(Math.max(...areas)).toBeLessThanOrEqual(1);
    expect(Math.min(...areas)).toBeLessThan(0.1);
    expect(Math.max(...areas)).toBeGreaterThan(0.9);
    expect(Math.min(...ratios)).toBeGreaterThan(0.73);
    expect(Math.max(...ratios)).toBeLessThan(1.36);
    // Log-uniform: as many tall crops as wide ones.
    const wide = ratios.filter((ratio) => ratio > 1).length / ratios.length;
    expect(wide).toBeGreaterThan(0.46);
    expect(wide).toBeLessThan(0.54);
    expect(Math.max(...crops.map(({ top, height }) => top + height))).toBe(500);
    expect(Math.min(...crops.map(({ left }) => left))).toBe(0);
  });

  it('falls back to the largest centred crop with an allowed ratio', () => {
    // A crop of the whole area with a ratio near 1 never fits into a strip.
    const options = { scale: [1, 1], ratio: [0.8, 1.25] } as const;
    expect(randomResizedCropRegion({ height: 40, width: 400 }, createRng(1), options)).toEqual({
      top: 0,
      left: 175,
      height: 40,
      width: 50,
    });
    expect(randomResizedCropRegion({ height: 401, width: 40 }, createRng(1), options)).toEqual({
      top: 175,
      left: 0,
      height: 50,
      width: 40,
    });
  });

  it('draws the same crops from the same state', () => {
    const rng = createRng(9);
    const state = rng.state();
    const image = { height: 90, width: 70 };
    const first = randomResizedCropRegion(image, rng);
    expect(randomResizedCropRegion(image, createRng(state))).toEqual(first);
    expect(randomResizedCropRegion(image, rng)).not.toEqual(first);
  });
});
