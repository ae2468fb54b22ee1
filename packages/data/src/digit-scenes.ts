import { createRng, type Rng } from '@as-mlp/base';
import { paintBackground } from './digit-background.ts';
import { createImage, type Region, type Rgb, type RgbImage, type Size } from './image.ts';
import { DIGIT_SIDE, type Digits, readMnist } from './mnist.ts';

/** The pixels of one digit that can be seen: the smallest rectangle that holds them, and which of its pixels they are. */
export interface DigitObject extends Region {
  /** The digit, 0–9. */
  readonly label: number;
  /** `height · width` bytes, 1 where the digit is seen. */
  readonly mask: Uint8Array;
}

/** A picture of several handwritten digits. */
export interface DigitScene {
  readonly image: RgbImage;
  /** Later ones lie on top of earlier ones. */
  readonly objects: readonly DigitObject[];
}

/** Options of {@link openDigitScenes}. */
export interface DigitScenesOptions {
  /** Scenes of training digits, or of test digits. */
  readonly split: 'train' | 'test';
  readonly length: number;
  /** 0 unless given. */
  readonly seed?: number;
  /** 160×160 unless given. */
  readonly size?: Size;
  /** Least and greatest number of digits that are put down, 2 to 4 unless given. */
  readonly count?: readonly [least: number, greatest: number];
  /** Least and greatest height of the pen strokes' square in pixels, 48 to 72 unless given. */
  readonly side?: readonly [least: number, greatest: number];
}

/** Scenes made when they are asked for. */
export interface DigitScenes {
  readonly length: number;
  /** Names of the ten classes. */
  readonly labels: readonly string[];
  /** Scene `index`: a function of seed, split and index alone. */
  scene(index: number): DigitScene;
}

/** Part of a digit that stays visible at least, and of every digit's pen strokes that lies on the canvas. */
const VISIBLE = 0.92;
const TRIES = 12;
const GREATEST_TURN = Math.PI / 6;
/** Pen strokes fill the middle 20 of the 28 pixels of a digit. */
const STROKES = 20;

/**
 * Pictures of handwritten digits for detection and segmentation: digits of MNIST, in bright colours, scaled, turned by up to 30°,
 * overlapping (at least 92 % of each stays visible), on dark, textured backgrounds.
 */
export function openDigitScenes(options: DigitScenesOptions): DigitScenes {
  const { split, length, seed = 0 } = options;
  const { size = { height: 160, width: 160 }, count = [2, 4], side = [48, 72] } = options;
  const digits = readMnist(split);
  const root = createRng(seed).fork(`digit scenes ${split}`);
  return {
    length,
    labels: Array.from({ length: 10 }, (_, digit) => String(digit)),
    scene: (index) => composeScene(digits, root.fork(index), size, count, side),
  };
}

function composeScene(
  digits: Digits,
  rng: Rng,
  size: Size,
  [least, greatest]: readonly [number, number],
  side: readonly [number, number],
): DigitScene {
  const image = createImage(size);
  const ground = paintBackground(image, rng);
  const count = least + rng.int(greatest - least + 1);
  /** 1 + the number of the object that each pixel shows. */
  const owner = new Uint8Array(size.height * size.width);
  const areas: number[] = [];
  const labels: number[] = [];
  for (let n = 0; n < count; n++) {
    const which = rng.int(digits.labels.length);
    const pixels = digits.pixels.subarray(which * DIGIT_SIDE ** 2, (which + 1) * DIGIT_SIDE ** 2);
    const ink = inkColour(ground, rng);
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const alpha = placeDigit(pixels, size, side, rng);
      if (!alpha || !leavesVisible(alpha, owner, areas)) continue;
      areas.push(blend(image, alpha, ink, owner, areas.length + 1));
      labels.push(digits.labels[which]!);
      break;
    }
  }
  return { image, objects: labels.map((label, i) => ({ label, ...visiblePart(owner, size, i + 1) })) };
}

/** How much ink of one digit lies on each pixel of a rectangle of the canvas, 0–1. */
interface Alpha extends Region {
  readonly values: Float32Array;
  /** Width of the canvas. */
  readonly stride: number;
}

/** The digit at a random size, turn and place; nothing when too much of it lies outside the canvas. */
function placeDigit(
  pixels: Uint8Array,
  { height, width }: Size,
  [least, greatest]: readonly [number, number],
  rng: Rng,
): Alpha | undefined {
  const scale = (least * (greatest / least) ** rng.next()) / STROKES;
  const turn = (2 * rng.next() - 1) * GREATEST_TURN;
  const reach = (STROKES / 2) * scale;
  const centreX = reach * 0.8 + rng.next() * (width - 1.6 * reach);
  const centreY = reach * 0.8 + rng.next() * (height - 1.6 * reach);
  const cos = Math.cos(turn) / scale;
  const sin = Math.sin(turn) / scale;
  const radius = (DIGIT_SIDE / 2) * scale * Math.SQRT2;
  const top = Math.max(0, Math.floor(centreY - radius));
  const left = Math.max(0, Math.floor(centreX - radius));
  const bottom = Math.min(height, Math.ceil(centreY + radius));
  const right = Math.min(width, Math.ceil(centreX + radius));
  const values = new Float32Array((bottom - top) * (right - left));
  let inside = 0;
  for (let y = top, i = 0; y < bottom; y++) {
    for (let x = left; x < right; x++, i++) {
      const dx = x + 0.5 - centreX;
      const dy = y + 0.5 - centreY;
      const u = cos * dx + sin * dy + DIGIT_SIDE / 2 - 0.5;
      const v = cos * dy - sin * dx + DIGIT_SIDE / 2 - 0.5;
      values[i] = bilinear(pixels, u, v) / 255;
      inside += values[i]!;
    }
  }
  let ink = 0;
  for (const value of pixels) ink += value / 255;
  if (inside < VISIBLE * ink * scale * scale) return undefined;
  return { top, left, height: bottom - top, width: right - left, values, stride: width };
}

/** The grey value at column `u` and row `v`, counted from the middle of the first pixel; 0 outside. */
function bilinear(pixels: Uint8Array, u: number, v: number): number {
  const x = Math.floor(u);
  const y = Math.floor(v);
  const fx = u - x;
  const upper = grey(pixels, y, x) * (1 - fx) + grey(pixels, y, x + 1) * fx;
  const lower = grey(pixels, y + 1, x) * (1 - fx) + grey(pixels, y + 1, x + 1) * fx;
  return upper + (lower - upper) * (v - y);
}

function grey(pixels: Uint8Array, y: number, x: number): number {
  return x >= 0 && y >= 0 && x < DIGIT_SIDE && y < DIGIT_SIDE ? pixels[y * DIGIT_SIDE + x]! : 0;
}

/** Whether enough of every digit so far can still be seen below a new one. `areas` are their areas when put down. */
function leavesVisible(alpha: Alpha, owner: Uint8Array, areas: readonly number[]): boolean {
  if (areas.length === 0) return true;
  const seen = new Int32Array(areas.length + 1);
  for (const who of owner) seen[who]!++;
  forEachInk(alpha, (at, value) => {
    if (value >= 0.5) seen[owner[at]!]!--;
  });
  return areas.every((area, i) => seen[i + 1]! >= VISIBLE * area);
}

/** Paints the digit and takes its pixels; returns how many. */
function blend(image: RgbImage, alpha: Alpha, ink: Rgb, owner: Uint8Array, number: number): number {
  let area = 0;
  forEachInk(alpha, (at, value) => {
    for (let c = 0; c < 3; c++) {
      const below = image.data[3 * at + c]!;
      image.data[3 * at + c] = Math.round(below + (ink[c]! - below) * value);
    }
    if (value < 0.5) return;
    owner[at] = number;
    area++;
  });
  return area;
}

function forEachInk(alpha: Alpha, visit: (at: number, value: number) => void): void {
  const { top, left, height, width, values, stride } = alpha;
  for (let y = 0, i = 0; y < height; y++) {
    const row = (top + y) * stride + left;
    for (let x = 0; x < width; x++, i++) if (values[i]! > 0) visit(row + x, values[i]!);
  }
}

/** A bright colour that stands out from the background's mean. */
function inkColour(ground: Rgb, rng: Rng): Rgb {
  for (;;) {
    const ink: Rgb = [64 + rng.int(192), 64 + rng.int(192), 64 + rng.int(192)];
    const contrast = ink.reduce((sum, channel, c) => sum + channel - ground[c]!, 0);
    if (contrast >= 300) return ink;
  }
}

function visiblePart(owner: Uint8Array, { height, width }: Size, number: number): Omit<DigitObject, 'label'> {
  let top = height;
  let left = width;
  let bottom = 0;
  let right = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (owner[i] !== number) continue;
      top = Math.min(top, y);
      left = Math.min(left, x);
      bottom = y + 1;
      right = Math.max(right, x + 1);
    }
  }
  const region = { top, left, height: bottom - top, width: right - left };
  const mask = new Uint8Array(region.height * region.width);
  for (let y = 0, i = 0; y < region.height; y++) {
    const row = (top + y) * width + left;
    for (let x = 0; x < region.width; x++, i++) mask[i] = owner[row + x] === number ? 1 : 0;
  }
  return { ...region, mask };
}
