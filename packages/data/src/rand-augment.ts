import type { Rng } from '@as-mlp/base';
import { type AffineMethod, rotate, shearX, shearY, translateX, translateY } from './affine.ts';
import { adjustBrightness, adjustColor, adjustContrast, adjustSharpness } from './enhance.ts';
import type { Rgb, RgbImage } from './image.ts';
import { autoContrast, equalize, invert, posterize, solarize, solarizeAdd } from './pixel-tables.ts';

/** The operations that {@link randAugment} chooses from, under timm's names. */
export const RAND_AUGMENT_OPERATIONS = [
  'AutoContrast',
  'Equalize',
  'Invert',
  'Rotate',
  'Posterize',
  'Solarize',
  'SolarizeAdd',
  'Color',
  'Contrast',
  'Brightness',
  'Sharpness',
  'ShearX',
  'ShearY',
  'TranslateXRel',
  'TranslateYRel',
] as const;

/** One of {@link RAND_AUGMENT_OPERATIONS}. */
export type RandAugmentOperation = (typeof RAND_AUGMENT_OPERATIONS)[number];

/** Settings of {@link randAugment}; timm's `rand-m9-mstd0.5-inc1` is `{ magnitude: 9, magnitudeStd: 0.5, increasing: true }`. */
export interface RandAugmentOptions {
  /** How strong the operations are, 0 to 10 (`m`); 10 unless given. */
  readonly magnitude?: number;
  /** Standard deviation of the magnitude, which is drawn for each operation and kept in 0 to 10 (`mstd`); 0 unless given. */
  readonly magnitudeStd?: number;
  /** Operations drawn for an image, with replacement (`n`); 2 unless given. */
  readonly layers?: number;
  /** Probability that a drawn operation is applied (`p`); 0.5 unless given. */
  readonly probability?: number;
  /** Whether every operation grows stronger with the magnitude (`inc1`); else some grow weaker. False unless given. */
  readonly increasing?: boolean;
  /** How geometric operations look between pixels; `random` draws for each. Bicubic unless given. */
  readonly interpolation?: AffineMethod | 'random';
  /** Colour of what comes in from outside; (128, 128, 128) unless given. */
  readonly fill?: Rgb;
}

/** An operation with all that chance decided. */
export interface RandAugmentStep {
  readonly operation: RandAugmentOperation;
  /** The drawn magnitude, 0 to 10. */
  readonly magnitude: number;
  /** What the operation is given: see {@link randAugmentAmount}. */
  readonly amount: number;
  readonly method: AffineMethod;
}

/**
 * RandAugment (Cubuk et al., 2020) as timm has it: `layers` operations drawn evenly, each applied with `probability`. A pure
 * function of its arguments.
 */
export function randAugment(image: RgbImage, options: RandAugmentOptions, rng: Rng): RgbImage {
  return drawRandAugment(options, rng).reduce((varied, step) => applyStep(varied, step, options.fill), image);
}

/** The steps that {@link randAugment} would take, in order; fewer than `layers` where an operation is not applied. */
export function drawRandAugment(options: RandAugmentOptions, rng: Rng): RandAugmentStep[] {
  const {
    magnitude: mean = 10,
    magnitudeStd = 0,
    layers = 2,
    probability = 0.5,
    increasing = false,
    interpolation = 'bicubic',
  } = options;
  const steps: RandAugmentStep[] = [];
  for (let layer = 0; layer < layers; layer++) {
    const operation = RAND_AUGMENT_OPERATIONS[rng.int(RAND_AUGMENT_OPERATIONS.length)]!;
    if (rng.next() >= probability) continue;
    const noise = magnitudeStd > 0 ? magnitudeStd * rng.normal(1)[0]! : 0;
    const magnitude = Math.min(10, Math.max(0, mean + noise));
    const amount = randAugmentAmount(operation, magnitude, increasing, rng.next() < 0.5);
    const method = interpolation === 'random' ? drawMethod(rng) : interpolation;
    steps.push({ operation, magnitude, amount, method });
  }
  return steps;
}

/** `bilinear` or `bicubic`, evenly. */
export function drawMethod(rng: Rng): AffineMethod {
  return rng.next() < 0.5 ? 'bilinear' : 'bicubic';
}

/**
 * What an operation of a magnitude (0 to 10) is given, as timm says: degrees up to 30 for Rotate, bits kept for Posterize,
 * the threshold for Solarize, a sum for SolarizeAdd, a factor from 0.1 to 1.9 for Color, Contrast, Brightness and
 * Sharpness, up to 0.3 for Shear, up to 0.45 of the side for Translate. `negative` turns signed amounts around; the
 * operations without an amount get 0.
 */
export function randAugmentAmount(
  operation: RandAugmentOperation,
  magnitude: number,
  increasing: boolean,
  negative: boolean,
): number {
  const level = magnitude / 10;
  const signed = (amount: number) => (negative ? -amount : amount);
  switch (operation) {
    case 'AutoContrast':
    case 'Equalize':
    case 'Invert':
      return 0;
    case 'Rotate':
      return signed(level * 30);
    case 'Posterize':
      return increasing ? 4 - Math.trunc(level * 4) : Math.trunc(level * 4);
    case 'Solarize':
      return increasing ? 256 - Math.trunc(level * 256) : Math.trunc(level * 256);
    case 'SolarizeAdd':
      return Math.trunc(level * 110);
    case 'Color':
    case 'Contrast':
    case 'Brightness':
    case 'Sharpness':
      return increasing ? Math.max(0.1, 1 + signed(level * 0.9)) : level * 1.8 + 0.1;
    case 'ShearX':
    case 'ShearY':
      return signed(level * 0.3);
    case 'TranslateXRel':
    case 'TranslateYRel':
      return signed(level * 0.45);
  }
}

/** `image` after one step. */
export function applyStep(
  image: RgbImage,
  { operation, amount, method }: Pick<RandAugmentStep, 'operation' | 'amount' | 'method'>,
  fill: Rgb = [128, 128, 128],
): RgbImage {
  const geometry = { method, fill };
  switch (operation) {
    case 'AutoContrast':
      return autoContrast(image);
    case 'Equalize':
      return equalize(image);
    case 'Invert':
      return invert(image);
    case 'Rotate':
      return rotate(image, amount, geometry);
    case 'Posterize':
      return posterize(image, amount);
    case 'Solarize':
      return solarize(image, amount);
    case 'SolarizeAdd':
      return solarizeAdd(image, amount);
    case 'Color':
      return adjustColor(image, amount);
    case 'Contrast':
      return adjustContrast(image, amount);
    case 'Brightness':
      return adjustBrightness(image, amount);
    case 'Sharpness':
      return adjustSharpness(image, amount);
    case 'ShearX':
      return shearX(image, amount, geometry);
    case 'ShearY':
      return shearY(image, amount, geometry);
    case 'TranslateXRel':
      return translateX(image, amount, geometry);
    case 'TranslateYRel':
      return translateY(image, amount, geometry);
  }
}
