import type { Rng } from '@as-mlp/base';
import type { Rgb, RgbImage } from './image.ts';

const GRID = 5;
const GREATEST_GRAIN = 24;
const STRIPES = 3;

/**
 * Fills `image`, in place, with a dark texture: colours that flow into each other between 5×5 random ones around a random
 * base, a few stripes of waves, and grain. Returns the base colour.
 */
export function paintBackground({ data, height, width }: RgbImage, rng: Rng): Rgb {
  const base: Rgb = [16 + rng.int(64), 16 + rng.int(64), 16 + rng.int(64)];
  const spread = 10 + rng.int(30);
  const nodes = rng.uniform(GRID * GRID * 3).map((value, i) => base[i % 3]! + (2 * value - 1) * spread);
  const waves = Array.from({ length: STRIPES }, () => ({
    across: (rng.next() - 0.5) * 0.6,
    down: (rng.next() - 0.5) * 0.6,
    height: rng.next() * 14,
    phase: rng.next() * 2 * Math.PI,
  }));
  const grain = rng.uniform(height * width);
  const strength = 4 + rng.int(GREATEST_GRAIN);
  for (let y = 0, i = 0; y < height; y++) {
    const v = (y / Math.max(1, height - 1)) * (GRID - 1.001);
    for (let x = 0; x < width; x++, i++) {
      const u = (x / Math.max(1, width - 1)) * (GRID - 1.001);
      let light = (grain[i]! - 0.5) * 2 * strength;
      for (const wave of waves) light += wave.height * Math.sin(wave.across * x + wave.down * y + wave.phase);
      for (let c = 0; c < 3; c++) {
        data[3 * i + c] = Math.min(255, Math.max(0, Math.round(between(nodes, u, v, c) + light)));
      }
    }
  }
  return base;
}

/** The value of channel `c` between the four nodes around column `u` and row `v` of the grid. */
function between(nodes: Float32Array, u: number, v: number, c: number): number {
  const x = Math.floor(u);
  const y = Math.floor(v);
  const at = (y * GRID + x) * 3 + c;
  const below = at + GRID * 3;
  const upper = nodes[at]! + (nodes[at + 3]! - nodes[at]!) * (u - x);
  const lower = nodes[below]! + (nodes[below + 3]! - nodes[below]!) * (u - x);
  return upper + (lower - upper) * (v - y);
}
