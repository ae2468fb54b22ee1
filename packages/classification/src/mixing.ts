import type { Rng } from '@as-mlp/base';
import type { Region, Size } from '@as-mlp/data';
import { drawBeta } from './beta.ts';

/** How the images of a batch are mixed with one another: timm's `Mixup` in its batch mode. */
export interface MixingOptions {
  /** α of Beta(α, α), the law of λ, for blending whole images (mixup; Zhang et al., 2018); 0: never. */
  readonly mixup: number;
  /** α of Beta(α, α), the law of λ, for pasting a rectangle (CutMix; Yun et al., 2019); 0: never. */
  readonly cutmix: number;
  /** Probability that a batch is mixed. */
  readonly mixProbability: number;
  /** Probability of CutMix where both are on. */
  readonly switchProbability: number;
}

/** One decision for a whole batch. */
export interface Mix {
  /** Share of the image itself, 0 to 1; the rest is its partner's. */
  readonly lambda: number;
  /** The rectangle that comes from the partner; left out when whole images are blended. */
  readonly box?: Region;
}

/** Whether any batch is mixed. */
export function mixes({ mixup, cutmix, mixProbability }: MixingOptions): boolean {
  return mixProbability > 0 && (mixup > 0 || cutmix > 0);
}

/** Decides how a batch of images of `size` is mixed. λ is 1 where it is not. */
export function drawMix(size: Size, options: MixingOptions, rng: Rng): Mix {
  const { mixup, cutmix, mixProbability, switchProbability } = options;
  if (!mixes(options) || rng.next() >= mixProbability) return { lambda: 1 };
  const cuts = cutmix > 0 && (mixup === 0 || rng.next() < switchProbability);
  if (!cuts) return { lambda: drawBeta(mixup, rng) };
  const lambda = drawBeta(cutmix, rng);
  return cutBox(size, lambda, rng.int(size.height), rng.int(size.width));
}

/**
 * The rectangle of 1 − `lambda` of the area around row `y` and column `x`, cut off at the border, and the λ that its real area
 * makes. Odd sides are one pixel shorter, as in the timm of the official training (0.3.2).
 */
export function cutBox({ height, width }: Size, lambda: number, y: number, x: number): Mix & { box: Region } {
  const part = Math.sqrt(1 - lambda);
  const halfHeight = Math.trunc(height * part) >> 1;
  const halfWidth = Math.trunc(width * part) >> 1;
  const top = Math.max(0, y - halfHeight);
  const left = Math.max(0, x - halfWidth);
  const box = {
    top,
    left,
    height: Math.min(height, y + halfHeight) - top,
    width: Math.min(width, x + halfWidth) - left,
  };
  return { lambda: 1 - (box.height * box.width) / (height * width), box };
}

/**
 * Each image of a batch mixed with its partner, which is the batch in reverse order: the first with the last, and so on.
 *
 * @param images `[B, H, W, 3]`, row-major; left as it is.
 */
export function mixImages(images: Float32Array, { height, width }: Size, { lambda, box }: Mix): Float32Array {
  if (lambda === 1) return images;
  const length = height * width * 3;
  const partnerOf = (start: number) => images.length - length - start;
  if (!box) {
    const mixed = new Float32Array(images.length);
    const own = Math.fround(lambda);
    const other = Math.fround(1 - lambda);
    for (let start = 0; start < images.length; start += length) {
      const partner = partnerOf(start);
      for (let i = 0; i < length; i++) {
        mixed[start + i] = Math.fround(own * images[start + i]!) + Math.fround(other * images[partner + i]!);
      }
    }
    return mixed;
  }
  const mixed = images.slice();
  for (let start = 0; start < images.length; start += length) {
    for (let y = box.top; y < box.top + box.height; y++) {
      const row = (y * width + box.left) * 3;
      const from = partnerOf(start) + row;
      mixed.set(images.subarray(from, from + box.width * 3), start + row);
    }
  }
  return mixed;
}

/**
 * The class probabilities of a mixed batch, `[B, classes]`, row-major: of the smoothed label of each image λ, of that of its
 * partner 1 − λ. A smoothed label has 1 − ε + ε/K for its class and ε/K for the others.
 *
 * @param labels `[B]` class indices.
 */
export function mixTargets(
  labels: Int32Array,
  classes: number,
  labelSmoothing: number,
  lambda: number,
): Float32Array {
  const targets = new Float32Array(labels.length * classes).fill(labelSmoothing / classes);
  for (let i = 0; i < labels.length; i++) {
    const partner = labels[labels.length - 1 - i]!;
    targets[i * classes + labels[i]!]! += (1 - labelSmoothing) * lambda;
    targets[i * classes + partner]! += (1 - labelSmoothing) * (1 - lambda);
  }
  return targets;
}
