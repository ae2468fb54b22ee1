import { createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { golden } from '../golden.fixture.ts';
import { type Distortion, distort, drawDistortion } from './distort.ts';

const fixture = golden<{
  height: number;
  width: number;
  image: string;
  cases: (Distortion & { expected: string })[];
}>('unit/distortion.json');
const bytes = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'));
const image = { height: fixture.height, width: fixture.width, data: bytes(fixture.image) };

describe('distort', () => {
  it.each(fixture.cases)('equals the reference to the last bit: %o', ({ expected, ...distortion }) => {
    const before = image.data.slice();
    expect(distort(image, distortion).data).toEqual(bytes(expected));
    expect(image.data).toEqual(before);
  });
});

describe('drawDistortion', () => {
  const limits = { brightness: 32, contrast: [0.5, 1.5], saturation: [0.5, 1.5], hue: 18 } as const;
  const drawn = Array.from({ length: 4000 }, (_, i) => drawDistortion(limits, createRng(1).fork(i)));

  it.each([
    ['brightness', -32, 32],
    ['contrast', 0.5, 1.5],
    ['saturation', 0.5, 1.5],
    ['hue', -18, 17],
  ] as const)('changes the %s half the time, from %d to %d', (key, least, greatest) => {
    const values = drawn.flatMap((one) => one[key] ?? []);
    expect(Math.abs(values.length / drawn.length - 0.5)).toBeLessThan(0.04);
    const slack = key === 'hue' ? 0 : (greatest - least) / 100;
    expect(Math.abs(Math.min(...values) - least)).toBeLessThanOrEqual(slack);
    expect(Math.abs(Math.max(...values) - greatest)).toBeLessThanOrEqual(slack);
    if (key === 'hue') expect(new Set(values).size).toBe(36);
  });

  it('puts the contrast first half the time', () => {
    const first = drawn.filter(({ contrastFirst }) => contrastFirst).length;
    expect(Math.abs(first / drawn.length - 0.5)).toBeLessThan(0.04);
  });
});
