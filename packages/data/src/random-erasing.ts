import type { Rng } from '@as-mlp/base';
import type { Region, Size } from './image.ts';

/** Options of {@link randomErasing}. */
export interface RandomErasingOptions {
  /** Probability that something is erased; 0.5 unless given. */
  readonly probability?: number;
  /** Standard normal numbers (`pixel`), one of them for each channel of a rectangle (`rand`), or zeros (`const`, unless given). */
  readonly mode?: 'pixel' | 'rand' | 'const';
  /** Rectangles; they share the area. 1 unless given. */
  readonly count?: number;
  /** Least and greatest erased part of the area, (0.02, 1/3) unless given. */
  readonly area?: readonly [least: number, greatest: number];
  /** Least ratio of height to width, and of width to height; 0.3 unless given. */
  readonly minAspect?: number;
}

const TRIES = 10;

/**
 * Random erasing (Zhong et al., 2020) of a normalised image, as timm has it.
 *
 * @param values `[H, W, 3]` normalised values, row-major; they are left as they are.
 * @returns `values` itself when nothing is erased, else a copy.
 */
export function randomErasing(
  values: Float32Array,
  size: Size,
  options: RandomErasingOptions,
  rng: Rng,
): Float32Array {
  const regions = drawErasing(size, options, rng);
  if (regions.length === 0) return values;
  const erased = values.slice();
  for (const { top, left, height, width } of regions) {
    const length = width * 3;
    const filling = fillOf(options.mode ?? 'const', height * length, rng);
    for (let y = 0; y < height; y++) {
      erased.set(filling.subarray(y * length, (y + 1) * length), ((top + y) * size.width + left) * 3);
    }
  }
  return erased;
}

/**
 * The rectangles that {@link randomErasing} would erase: area uniform, log of the aspect ratio uniform. One that does not leave a
 * row and a column of the image is drawn again, 10 times at most.
 */
export function drawErasing(
  { height, width }: Size,
  { probability = 0.5, count = 1, area = [0.02, 1 / 3], minAspect = 0.3 }: RandomErasingOptions,
  rng: Rng,
): Region[] {
  if (rng.next() >= probability) return [];
  const regions: Region[] = [];
  const most = Math.log(1 / minAspect);
  for (let i = 0; i < count; i++) {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const target = ((area[0] + (area[1] - area[0]) * rng.next()) * height * width) / count;
      const aspect = Math.exp(most * (2 * rng.next() - 1));
      const h = Math.round(Math.sqrt(target * aspect));
      const w = Math.round(Math.sqrt(target / aspect));
      if (h < 1 || h >= height || w < 1 || w >= width) continue;
      regions.push({ top: rng.int(height - h + 1), left: rng.int(width - w + 1), height: h, width: w });
      break;
    }
  }
  return regions;
}

function fillOf(mode: 'pixel' | 'rand' | 'const', length: number, rng: Rng): Float32Array {
  if (mode === 'pixel') return rng.normal(length);
  if (mode === 'const') return new Float32Array(length);
  const colour = rng.normal(3);
  return Float32Array.from({ length }, (_, i) => colour[i % 3]!);
}
