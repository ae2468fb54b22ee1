import { readFileSync } from 'node:fs';
import { createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { drawBeta } from './beta.ts';
import { cutBox, drawMix, type MixingOptions, mixImages, mixTargets } from './mixing.ts';

const golden: {
  num_classes: number;
  target: number[];
  smoothing: number;
  atol: number;
  images: { shape: [number, number, number, number]; data: number[] };
  cases: {
    name: string;
    raw_lambda: number;
    lambda_used: number;
    centre_yx: [number, number] | null;
    box_y0y1x0x1: [number, number, number, number] | null;
    mixed: number[];
    targets: number[];
  }[];
  boxes: {
    hw: [number, number];
    raw_lambda: number;
    centre_yx: [number, number];
    box_y0y1x0x1: [number, number, number, number];
    lambda_used: number;
  }[];
} = JSON.parse(readFileSync(new URL('../golden/mixing.json', import.meta.url), 'utf8'));

const OFFICIAL: MixingOptions = { mixup: 0.8, cutmix: 1, mixProbability: 1, switchProbability: 0.5 };
const SIZE = { height: 224, width: 224 };
const [count, channels, height, width] = golden.images.shape;

/** `[B, C, H, W]` → `[B, H, W, C]`. */
function channelsLast(values: readonly number[]): Float32Array {
  const area = height * width;
  return Float32Array.from(values, (_, i) => {
    const pixel = Math.floor(i / channels);
    return values[(Math.floor(pixel / area) * channels + (i % channels)) * area + (pixel % area)]!;
  });
}

function expectClose(actual: Float32Array, expected: ArrayLike<number>): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, i) => {
    if (Math.abs(value - expected[i]!) > golden.atol) throw new Error(`${i}: ${value}, not ${expected[i]}`);
  });
}

describe('mixing', () => {
  it.each(golden.cases)('gives the images and targets of timm: $name', (wanted) => {
    const [y, x] = wanted.centre_yx ?? [];
    const size = { height, width };
    const mix = y === undefined ? { lambda: wanted.raw_lambda } : cutBox(size, wanted.raw_lambda, y, x!);
    expect(mix.lambda).toBeCloseTo(wanted.lambda_used, 12);
    const images = channelsLast(golden.images.data);
    mixImages(images, size, mix);
    expectClose(images, channelsLast(wanted.mixed));
    const labels = Int32Array.from(golden.target);
    expectClose(mixTargets(labels, golden.num_classes, golden.smoothing, mix.lambda), wanted.targets);
    expect(labels).toHaveLength(count);
  });

  it('leaves the middle of an odd batch alone', () => {
    const images = Float32Array.of(1, 1, 1, 2, 2, 2, 3, 3, 3);
    mixImages(images, { height: 1, width: 1 }, { lambda: 0.25 });
    expect([...images]).toEqual([2.5, 2.5, 2.5, 2, 2, 2, 1.5, 1.5, 1.5]);
  });

  it('cuts the rectangles of timm', () => {
    expect(golden.boxes).toHaveLength(24);
    for (const { hw, raw_lambda, centre_yx, box_y0y1x0x1, lambda_used } of golden.boxes) {
      const { lambda, box } = cutBox({ height: hw[0], width: hw[1] }, raw_lambda, ...centre_yx);
      expect([box.top, box.top + box.height, box.left, box.left + box.width]).toEqual(box_y0y1x0x1);
      expect(lambda).toBeCloseTo(lambda_used, 12);
    }
  });
});

/** Greatest distance of the sample's distribution from `cdf`, times √n: above 1.95 once in a thousand (Kolmogorov). */
function distance(sample: readonly number[], cdf: (x: number) => number): number {
  const sorted = [...sample].sort((a, b) => a - b);
  const n = sorted.length;
  const gaps = sorted.map((x, i) => Math.max(Math.abs(cdf(x) - i / n), Math.abs((i + 1) / n - cdf(x))));
  return Math.max(...gaps) * Math.sqrt(n);
}

/** The distribution function of Beta(α, α): its density summed in steps of t where x = sin²(t) has no pole. */
function betaCdf(alpha: number): (x: number) => number {
  const steps = 20_000;
  const sums = new Float64Array(steps + 1);
  const density = (t: number) => (Math.sin(t) * Math.cos(t)) ** (2 * alpha - 1);
  for (let i = 1; i <= steps; i++) sums[i] = sums[i - 1]! + density(((i - 0.5) / steps) * (Math.PI / 2));
  return (x) => sums[Math.round((Math.asin(Math.sqrt(x)) / (Math.PI / 2)) * steps)]! / sums[steps]!;
}

describe('drawBeta', () => {
  it.each([0.2, 0.8, 1, 3])('follows Beta(α, α) for α = %d', (alpha) => {
    const rng = createRng(1).fork(alpha);
    const sample = Array.from({ length: 4000 }, () => drawBeta(alpha, rng));
    expect(distance(sample, betaCdf(alpha))).toBeLessThan(1.95);
  });
});

describe('drawMix', () => {
  const rng = createRng(8);
  const drawn = Array.from({ length: 8000 }, () => drawMix(SIZE, OFFICIAL, rng));
  const blended = drawn.filter(({ box }) => !box);
  const cut = drawn.filter(({ box }) => box);
  const within = (successes: number, trials: number, p: number) =>
    expect(Math.abs(successes - trials * p)).toBeLessThan(4.5 * Math.sqrt(trials * p * (1 - p)));

  it('cuts every other batch', () => {
    within(cut.length, drawn.length, 0.5);
  });

  it('blends with λ of Beta(0.8, 0.8)', () => {
    expect(
      distance(
        blended.map(({ lambda }) => lambda),
        betaCdf(0.8),
      ),
    ).toBeLessThan(1.95);
  });

  it('corrects λ to the area that is left', () => {
    for (const { lambda, box } of cut) {
      expect(lambda).toBe(1 - (box!.height * box!.width) / (224 * 224));
      expect(box!.top >= 0 && box!.left >= 0).toBe(true);
      expect(box!.top + box!.height <= 224 && box!.left + box!.width <= 224).toBe(true);
    }
    // Without the border √(1 − λ) has the distribution function s², and cutting off only makes sides shorter.
    const large = cut.filter(({ box }) => box!.height >= 112).length / cut.length;
    expect(large).toBeGreaterThan(0.3);
    expect(large).toBeLessThan(0.75);
  });

  it('mixes as many batches as it is told, in the way that is on', () => {
    const draws = (options: Partial<MixingOptions>) =>
      Array.from({ length: 2000 }, () => drawMix(SIZE, { ...OFFICIAL, ...options }, rng));
    within(draws({ mixProbability: 0.3, cutmix: 0 }).filter(({ lambda }) => lambda !== 1).length, 2000, 0.3);
    expect(draws({ mixup: 0 }).every(({ box }) => box)).toBe(true);
    expect(draws({ cutmix: 0 }).some(({ box }) => box)).toBe(false);
    expect(draws({ mixup: 0, cutmix: 0 }).every(({ lambda }) => lambda === 1)).toBe(true);
  });
});
