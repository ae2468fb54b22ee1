import { readFileSync } from 'node:fs';

/** Where a file of `golden/` lies. */
export const goldenPath = (name: string): string => new URL(`../golden/${name}`, import.meta.url).pathname;

/** A file of `golden/`, parsed. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(goldenPath(name), 'utf8')) as T;
}

/** Nested lists of numbers as float32, row-major. */
export const floats = (nested: unknown): Float32Array =>
  Float32Array.from([nested].flat(Number.POSITIVE_INFINITY) as number[]);

/** The largest difference, of numbers beyond 1 in size relative to them; infinite for other lengths and NaN. */
export function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!));
    if (!(difference <= most)) most = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return most;
}

/** The numbers that the golden files are made from: sin(a·j) + ½·cos(b·j^1.5). */
export const wave = (count: number, a: number, b: number): Float32Array =>
  Float32Array.from({ length: count }, (_, j) => Math.sin(a * j) + 0.5 * Math.cos(b * j ** 1.5));

/** `[N, C, H, W]` → `[N, H, W, C]`. */
export function channelsLast(
  data: ArrayLike<number>,
  [n, c, h, w]: readonly [number, number, number, number],
): Float32Array {
  const out = new Float32Array(n * c * h * w);
  for (let i = 0, from = 0; i < n; i++) {
    for (let channel = 0; channel < c; channel++) {
      for (let cell = 0; cell < h * w; cell++) out[(i * h * w + cell) * c + channel] = data[from++]!;
    }
  }
  return out;
}
