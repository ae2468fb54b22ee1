import { createRng } from '@as-mlp/base';
import { createImage, type RgbImage } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import { augment, trainingValues } from './augment.ts';
import type { Augmentation } from './augmentation.ts';
import { IMAGENET_PREPROCESSING, type Preprocessing } from './preprocess.ts';
import { DIGITS_RECIPE } from './presets/digits.ts';
import { IMAGENET_RECIPE } from './presets/imagenet.ts';
import { SMALL_PHOTOS_RECIPE } from './presets/small-photos.ts';
import { parseClassificationRecipe } from './recipe.ts';

const preprocessing: Preprocessing = { ...IMAGENET_PREPROCESSING, size: 32, cropFraction: 1 };
const official = parseClassificationRecipe({}).augmentation;
const only = (settings: Record<string, unknown>): Augmentation =>
  parseClassificationRecipe({
    augmentation: { randAugment: null, colorJitter: null, erasing: { probability: 0 }, ...settings },
  }).augmentation;

/** An image whose red and green say where a pixel is. */
function map(height: number, width: number): RgbImage {
  const data = new Uint8Array(height * width * 3);
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i += 3) data.set([x, y, 99], i);
  return { height, width, data };
}

const image = map(60, 80);
const differs = (a: RgbImage, b: RgbImage) => a.data.some((byte, i) => byte !== b.data[i]);

describe('recipes', () => {
  it('are the official one by default', () => {
    expect(parseClassificationRecipe({})).toMatchObject({
      model: 'as-mlp-tiny',
      epochs: 300,
      batchSize: 128,
      lr: 5e-4,
      lrBatch: 512,
      schedule: { kind: 'cosine', warmupEpochs: 20, warmupLr: 5e-7, minLr: 5e-6 },
      weightDecay: 0.05,
      clipNorm: 5,
      labelSmoothing: 0.1,
      dropPathRate: null,
      imageSize: 224,
      augmentation: {
        kind: 'random-resized-crop',
        scale: [0.08, 1],
        ratio: [3 / 4, 4 / 3],
        interpolation: 'bicubic',
        flip: 0.5,
        randAugment: { magnitude: 9, magnitudeStd: 0.5, layers: 2, probability: 0.5, increasing: true },
        colorJitter: 0.4,
        erasing: { probability: 0.25, mode: 'pixel', count: 1 },
        mixup: 0.8,
        cutmix: 1,
        mixProbability: 1,
        switchProbability: 0.5,
      },
    });
    expect(parseClassificationRecipe(IMAGENET_RECIPE)).toEqual(parseClassificationRecipe({ accumulate: 8 }));
  });

  it('of the digits has nothing of it', () => {
    const { augmentation } = parseClassificationRecipe(DIGITS_RECIPE);
    expect(augmentation).toEqual({ kind: 'shift', pixels: 2, flip: 0 });
  });

  it('of small photos varies them less', () => {
    expect(parseClassificationRecipe(SMALL_PHOTOS_RECIPE)).toMatchObject({
      imageSize: 128,
      augmentation: { randAugment: { magnitude: 5, increasing: true }, cutmix: 1, mixProbability: 0.5 },
    });
  });

  it('name a misspelt setting', () => {
    const parse = (augmentation: Record<string, unknown>) => () =>
      parseClassificationRecipe({ augmentation });
    expect(parse({ mixUp: 0 })).toThrow('Did you mean "augmentation.mixup"');
    expect(parse({ randAugment: { magnitudes: 7 } })).toThrow('augmentation.randAugment.magnitude');
    expect(parse({ erasing: { mode: 'pixels' } })).toThrow('augmentation.erasing.mode');
  });
});

describe('augment', () => {
  it('moves a digit and does nothing else to it', () => {
    const digit = map(32, 32);
    const how = { kind: 'shift', pixels: 2, flip: 0 } as const;
    const moves = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { data } = augment(digit, how, preprocessing, createRng(seed));
      // The pixel in the middle says by how much.
      const at = (16 * 32 + 16) * 3;
      const [dx, dy] = [data[at]! - 16, data[at + 1]! - 16];
      moves.add(`${dx},${dy}`);
      for (let y = 0; y < 32; y++) {
        for (let x = 0; x < 32; x++) {
          const isInside = x + dx >= 0 && x + dx < 32 && y + dy >= 0 && y + dy < 32;
          const expected = isInside ? [x + dx, y + dy, 99] : [0, 0, 0];
          const pixel = (y * 32 + x) * 3;
          if (expected.some((byte, c) => byte !== data[pixel + c])) throw new Error(`pixel ${x}, ${y}`);
        }
      }
    }
    expect(moves.size).toBe(25);
  });

  it('varies colours with RandAugment, or with jitter where there is none, or not', () => {
    const grey = createImage({ height: 40, width: 40 }, [120, 120, 120]);
    const changed = (how: Augmentation) =>
      Array.from({ length: 60 }, (_, seed) => augment(grey, how, preprocessing, createRng(seed)).data).filter(
        (data) => data.some((byte) => byte !== 120),
      ).length;
    expect(changed(only({}))).toBe(0);
    expect(changed(only({ colorJitter: 0.4 }))).toBeGreaterThan(50);
    const randAugment = { probability: 0 };
    expect(changed(only({ randAugment, colorJitter: 0.4 }))).toBe(0);
    expect(changed(only({ randAugment: {} }))).toBeGreaterThan(10);
  });

  it('fills with the mean colour of ImageNet', () => {
    const white = createImage({ height: 40, width: 40 }, [255, 255, 255]);
    const how = only({ randAugment: { layers: 1, probability: 1 } });
    const colours = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const { data } = augment(white, how, preprocessing, createRng(seed));
      colours.add(data.subarray(0, 3).join());
    }
    expect([...colours]).toContain('124,116,104');
  });

  it('is a function of its arguments', () => {
    const one = (seed: number) => augment(image, official, preprocessing, createRng(seed));
    expect(one(1)).toEqual(one(1));
    expect(differs(one(1), one(2))).toBe(true);
  });
});

describe('trainingValues', () => {
  it('erases after normalising', () => {
    const black = createImage({ height: 40, width: 40 });
    const values = trainingValues(
      black,
      only({ erasing: { probability: 1, mode: 'const' } }),
      preprocessing,
      createRng(5),
    );
    // (0 − mean) / std of red, green and blue, and the erased zeros.
    const colours = [0, -2.0357141494750977, -1.804444432258606, -2.1179039478302].map(Math.fround);
    expect(new Set(values)).toEqual(new Set(colours));
  });

  it('keeps what is not erased', () => {
    const how = only({});
    const values = trainingValues(image, how, preprocessing, createRng(5));
    const { data } = augment(image, how, preprocessing, createRng(5));
    expect(values[0]).toBeCloseTo((data[0]! / 255 - 0.485) / 0.229, 5);
  });
});
