import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { pattern } from './golden.fixture.ts';
import { applyTable, denormalize, normalize, normalizeTable, opencvNormalizeTable } from './normalize.ts';

const MEAN = [0.485, 0.456, 0.406] as const;
const STD = [0.229, 0.224, 0.225] as const;

describe('normalize', () => {
  it('rounds every step to float32', () => {
    const f = Math.fround;
    const image = pattern(3, 5);
    const values = normalize(image, MEAN, STD);
    image.data.forEach((byte, i) => {
      const c = i % 3;
      expect(values[i]).toBe(f(f(f(byte / 255) - f(MEAN[c]!)) / f(STD[c]!)));
    });
  });

  it("gives torchvision's values", () => {
    const image = { height: 1, width: 2, data: Uint8Array.of(0, 0, 0, 255, 128, 1) };
    expect([...normalize(image, MEAN, STD)]).toEqual([
      -2.1179039478302, -2.0357141494750977, -1.804444432258606, 2.248908281326294, 0.20518219470977783,
      -1.7870151996612549,
    ]);
  });

  it('can be taken back', () => {
    const image = pattern(16, 48);
    expect(new Set(image.data).size).toBeGreaterThan(200);
    expect(denormalize(normalize(image, MEAN, STD), image, MEAN, STD)).toEqual(image);
    const [mean, std] = [[123.7, 116.3, 103.5] as const, [58.4, 57.1, 57.4] as const];
    const values = applyTable(image, opencvNormalizeTable(mean, std));
    expect(denormalize(values, image, mean, std, 255)).toEqual(image);
  });

  it('puts a batch end to end', () => {
    const images = [pattern(2, 3), { ...pattern(2, 3), data: pattern(2, 3).data.toReversed() }];
    const batch = normalize(images, MEAN, STD);
    expect(batch).toHaveLength(36);
    expect(batch.slice(0, 18)).toEqual(normalize(images[0]!, MEAN, STD));
    expect(batch.slice(18)).toEqual(normalize(images[1]!, MEAN, STD));
    expect(normalize([], MEAN, STD)).toHaveLength(0);
  });

  it('refuses images of different sizes and impossible statistics', () => {
    expect(() => normalize([pattern(2, 3), pattern(3, 2)], MEAN, STD)).toThrow(/2×3 and 3×2/);
    expect(() => normalize(pattern(2, 3), MEAN, [0.2, 0, 0.2])).toThrow(AsMlpError);
    expect(() => normalize(pattern(2, 3), [Number.NaN, 0, 0], STD)).toThrow(AsMlpError);
  });
});

describe('applyTable', () => {
  it('looks each channel up in its own part', () => {
    const table = Float32Array.from({ length: 768 }, (_, i) => i);
    const image = { height: 1, width: 1, data: Uint8Array.of(7, 8, 9) };
    expect([...applyTable(image, table)]).toEqual([7, 264, 521]);
    expect(normalizeTable([0, 0, 0], [1, 1, 1])[255]).toBe(1);
  });
});
