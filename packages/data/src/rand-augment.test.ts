import { createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { decodeImage } from './decode.ts';
import { checksum, goldenPath, pattern, readGolden } from './golden.fixture.ts';
import { createImage, type RgbImage } from './image.ts';
import {
  applyStep,
  drawRandAugment,
  RAND_AUGMENT_OPERATIONS,
  type RandAugmentOperation,
  randAugment,
  randAugmentAmount,
} from './rand-augment.ts';

const golden = await readGolden<{
  fill: [number, number, number];
  cases: {
    op: RandAugmentOperation;
    image: string;
    amount?: number;
    interpolation?: 'bilinear' | 'bicubic';
    crc: string;
  }[];
  levels: { name: string; magnitude: number; negative: boolean; amount: number }[];
}>('augment.json');

const dull = pattern(64, 48);
dull.data.forEach((byte, i) => {
  dull.data[i] = 60 + (byte >> 2);
});
const two = createImage({ height: 12, width: 15 }, [90, 90, 90]);
for (let y = 0; y < 12; y += 2) for (let x = 0; x < 15; x += 3) two.data.set([90, 140, 30], (y * 15 + x) * 3);

const images: Record<string, RgbImage> = {
  photo: await decodeImage(goldenPath('photos/small_97x61.png')),
  pattern: pattern(37, 53),
  dull,
  flat: createImage({ height: 9, width: 11 }, [10, 200, 77]),
  two,
  strip: pattern(2, 17),
};

const OFFICIAL = { magnitude: 9, magnitudeStd: 0.5, increasing: true } as const;

describe('operations of RandAugment', () => {
  it.each(RAND_AUGMENT_OPERATIONS)('have the pixels of Pillow: %s', (operation) => {
    const cases = golden.cases.filter(({ op }) => op === operation);
    expect(cases.length).toBeGreaterThanOrEqual(6);
    const wrong = cases.filter(({ image, amount = 0, interpolation: method = 'bicubic', crc }) => {
      const varied = applyStep(images[image]!, { operation, amount, method }, golden.fill);
      return checksum(varied.data) !== crc;
    });
    expect(wrong).toEqual([]);
  });

  it('leave the image that they are given alone', () => {
    const before = checksum(images.photo!.data);
    for (const operation of RAND_AUGMENT_OPERATIONS) {
      applyStep(images.photo!, { operation, amount: 0.3, method: 'bilinear' });
    }
    expect(checksum(images.photo!.data)).toBe(before);
  });

  it('are given the amounts of timm', () => {
    expect(golden.levels).toHaveLength(336);
    for (const { name, magnitude, negative, amount } of golden.levels) {
      const operation = name.replace('Increasing', '') as RandAugmentOperation;
      const ours = randAugmentAmount(operation, magnitude, name.endsWith('Increasing'), negative);
      expect(ours + 0, `${name}, magnitude ${magnitude}`).toBe(amount + 0);
    }
  });
});

describe('drawRandAugment', () => {
  const IMAGES = 6000;
  const rng = createRng(11);
  const drawn = Array.from({ length: IMAGES }, () => drawRandAugment(OFFICIAL, rng));
  const steps = drawn.flat();
  /** Whether `successes` of `trials` lie within 4.5 standard deviations of what a binomial law expects. */
  const isBinomial = (successes: number, trials: number, p: number) =>
    Math.abs(successes - trials * p) < 4.5 * Math.sqrt(trials * p * (1 - p));

  it('applies two operations, each with probability one half', () => {
    const withSteps = (count: number) => drawn.filter(({ length }) => length === count).length;
    expect(isBinomial(withSteps(0), IMAGES, 0.25)).toBe(true);
    expect(isBinomial(withSteps(1), IMAGES, 0.5)).toBe(true);
    expect(isBinomial(withSteps(2), IMAGES, 0.25)).toBe(true);
    expect(drawRandAugment({ layers: 3, probability: 1 }, rng)).toHaveLength(3);
    expect(drawRandAugment({ probability: 0 }, rng)).toHaveLength(0);
  });

  it.each(RAND_AUGMENT_OPERATIONS)('draws %s as often as the others', (name) => {
    const count = steps.filter(({ operation }) => operation === name).length;
    expect(isBinomial(count, steps.length, 1 / RAND_AUGMENT_OPERATIONS.length)).toBe(true);
  });

  it('draws an operation twice as often as chance says', () => {
    const both = drawn.filter(({ length }) => length === 2);
    const twice = both.filter(([first, second]) => first!.operation === second!.operation).length;
    expect(isBinomial(twice, both.length, 1 / 15)).toBe(true);
  });

  it('draws magnitudes from a normal law that ends at 10', () => {
    const below = (bound: number) => steps.filter(({ magnitude }) => magnitude < bound).length;
    // Φ(−2), Φ(−1), Φ(0), Φ(1) and Φ(2).
    for (const [bound, p] of [
      [8, 0.02275],
      [8.5, 0.15866],
      [9, 0.5],
      [9.5, 0.84134],
      [10, 0.97725],
    ] as const) {
      expect(isBinomial(below(bound), steps.length, p), `below ${bound}`).toBe(true);
    }
    expect(Math.max(...steps.map(({ magnitude }) => magnitude))).toBe(10);
    const constant = Array.from({ length: 50 }, () => drawRandAugment({ magnitude: 4 }, rng)).flat();
    expect(new Set(constant.map(({ magnitude }) => magnitude))).toEqual(new Set([4]));
  });

  it('turns half of the signed amounts around', () => {
    const turned = steps.filter(({ operation }) => operation === 'Rotate');
    const negative = turned.filter(({ amount }) => amount < 0).length;
    expect(isBinomial(negative, turned.length, 0.5)).toBe(true);
  });

  it('looks between pixels as it is told', () => {
    expect(new Set(steps.map(({ method }) => method))).toEqual(new Set(['bicubic']));
    const random = Array.from({ length: 2000 }, () => drawRandAugment({ interpolation: 'random' }, rng));
    const methods = random.flat().map(({ method }) => method);
    const bilinear = methods.filter((method) => method === 'bilinear').length;
    expect(isBinomial(bilinear, methods.length, 0.5)).toBe(true);
  });
});

describe('randAugment', () => {
  it('is a function of the image and the chance', () => {
    const image = images.photo!;
    const crcs = (seed: number) =>
      Array.from({ length: 8 }, (_, i) =>
        checksum(randAugment(image, OFFICIAL, createRng(seed).fork(i)).data),
      );
    expect(crcs(1)).toEqual(crcs(1));
    expect(crcs(1)).not.toEqual(crcs(2));
    expect(new Set(crcs(1)).size).toBeGreaterThan(4);
  });

  it('takes the steps that were drawn', () => {
    const rng = createRng(6);
    const options = { ...OFFICIAL, probability: 1, fill: golden.fill };
    const steps = drawRandAugment(options, createRng(rng.state()));
    const expected = steps.reduce((image, step) => applyStep(image, step, golden.fill), images.photo!);
    expect(randAugment(images.photo!, options, rng)).toEqual(expected);
  });
});
