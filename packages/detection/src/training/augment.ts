import type { Rng } from '@as-mlp/base';
import { fitInside, type Region, type Size } from '@as-mlp/data';
import { cropExample, type Example, flipExample, resizeExample } from './example.ts';

/**
 * How training images are varied. Officially: mirrored half the time; then either resized, or resized, cropped and resized
 * again.
 */
export interface DetectionAugmentation {
  /** Probability of mirroring. */
  readonly flip: number;
  /** The shorter side is resized to one of these, in pixels. */
  readonly shortSides: readonly number[];
  /** The longer side is never longer than this. */
  readonly longSide: number;
  /** Probability of a crop before that. */
  readonly crop: number;
  /** Shorter side before the crop: one of these. */
  readonly cropShortSides: readonly number[];
  /** Least and greatest side of the crop. */
  readonly cropSides: readonly [number, number];
}

/** One varied example; a function of its arguments and the numbers that `rng` gives. */
export function augmentExample(example: Example, how: DetectionAugmentation, rng: Rng): Example {
  let varied = rng.next() < how.flip ? flipExample(example) : example;
  const resized = (from: Example, shortSides: readonly number[]) => {
    const shortSide = shortSides[rng.int(shortSides.length)]!;
    return resizeExample(from, fitInside(from.image, how.longSide, shortSide));
  };
  if (rng.next() < how.crop) {
    varied = resized(varied, how.cropShortSides);
    varied = cropExample(varied, randomRegion(varied.image, how.cropSides, rng));
  }
  return resized(varied, how.shortSides);
}

/** A rectangle whose sides are drawn between the two limits, or are the image's own where that is smaller. */
function randomRegion(size: Size, [least, greatest]: readonly [number, number], rng: Rng): Region {
  const side = (length: number) => {
    const shortest = Math.min(length, least);
    return shortest + rng.int(Math.min(length, greatest) - shortest + 1);
  };
  const height = side(size.height);
  const width = side(size.width);
  return { top: rng.int(size.height - height + 1), left: rng.int(size.width - width + 1), height, width };
}
