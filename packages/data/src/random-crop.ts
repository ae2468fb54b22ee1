import type { Rng } from '@as-mlp/base';
import type { Region, Size } from './image.ts';

/** Options of {@link randomResizedCropRegion}. */
export interface RandomResizedCropOptions {
  /** Least and greatest part of the image's area, (0.08, 1) unless given. */
  readonly scale?: readonly [least: number, greatest: number];
  /** Least and greatest ratio of width to height, (3/4, 4/3) unless given. */
  readonly ratio?: readonly [least: number, greatest: number];
}

const TRIES = 10;

/**
 * A random rectangle of an image for "Inception-style" training crops, to be resized to the network's input with
 * `cropResize`: area uniform in `scale`, log of the aspect ratio uniform in `ratio`. After 10 rectangles that do not
 * fit, the largest centred one with an allowed ratio (torchvision's `RandomResizedCrop`, timm's
 * `RandomResizedCropAndInterpolation`). Takes 2 draws of `rng` for a rectangle that does not fit and 4 for the last.
 */
export function randomResizedCropRegion(
  { height, width }: Size,
  rng: Rng,
  { scale = [0.08, 1], ratio = [3 / 4, 4 / 3] }: RandomResizedCropOptions = {},
): Region {
  const uniform = (least: number, greatest: number) => least + (greatest - least) * rng.next();
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const area = height * width * uniform(scale[0], scale[1]);
    const aspect = Math.exp(uniform(Math.log(ratio[0]), Math.log(ratio[1])));
    const w = Math.round(Math.sqrt(area * aspect));
    const h = Math.round(Math.sqrt(area / aspect));
    if (w < 1 || w > width || h < 1 || h > height) continue;
    return { top: rng.int(height - h + 1), left: rng.int(width - w + 1), height: h, width: w };
  }
  const w = Math.min(width, Math.max(1, Math.round(height * ratio[1])));
  const h = Math.min(height, Math.max(1, Math.round(width / ratio[0])));
  return { top: (height - h) >> 1, left: (width - w) >> 1, height: h, width: w };
}
