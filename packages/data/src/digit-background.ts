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
  const waves = Array.from({ length: STRIPES }, () => {
    const across = (rng.next() - 0.5) * 0.6;
    const down = (rng.next() - 0.5) * 0.6;
    const crest = rng.next() * 14;
    const phase = rng.next() * 2 * Math.PI;
    return { sin: sines(width, across, 0), cos: sines(width, across, Math.PI / 2), down, crest, phase };
  });
  const grain = rng.uniform(height * width);
  const strength = 4 + rng.int(GREATEST_GRAIN);
  for (let y = 0, i = 0; y < height; y++) {
    const row = blendRows(nodes, (y / Math.max(1, height - 1)) * (GRID - 1.001));
    const light = grain.subarray(y * width, (y + 1) * width).map((value) => (value - 0.5) * 2 * strength);
    for (const { sin, cos, down, crest, phase } of waves) {
      // The sine of a sum: one for each column and each row rather than one for each pixel.
      const ofRow = crest * Math.sin(down * y + phase);
      const ofTurn = crest * Math.cos(down * y + phase);
      for (let x = 0; x < width; x++) light[x]! += sin[x]! * ofTurn + cos[x]! * ofRow;
    }
    for (let x = 0; x < width; x++) {
      const u = (x / Math.max(1, width - 1)) * (GRID - 1.001);
      const left = Math.floor(u);
      for (let c = 0, at = 3 * left; c < 3; c++, i++, at++) {
        const colour = row[at]! + (row[at + 3]! - row[at]!) * (u - left);
        data[i] = Math.min(255, Math.max(0, Math.round(colour + light[x]!)));
      }
    }
  }
  return base;
}

/** sin(speed·x + phase) of every column. */
function sines(width: number, speed: number, phase: number): Float64Array {
  return Float64Array.from({ length: width }, (_, x) => Math.sin(speed * x + phase));
}

/** The row of nodes at height `v` between those of the grid. */
function blendRows(nodes: Float32Array, v: number): Float64Array {
  const y = Math.floor(v);
  const upper = nodes.subarray(y * GRID * 3, (y + 1) * GRID * 3);
  const lower = nodes.subarray((y + 1) * GRID * 3);
  return Float64Array.from(upper, (value, i) => value + (lower[i]! - value) * (v - y));
}
