import { fitInside } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import { golden } from '../golden.fixture.ts';
import { mirrored, slidingWindows, type Taps, windowTaps } from './taps.ts';

interface Geometry {
  readonly fit_inside: readonly { wh: [number, number]; scale: [number, number]; out_wh: [number, number] }[];
  readonly aug_scales_2048x512: readonly (readonly [number, number])[];
  readonly slide: readonly {
    hw: [number, number];
    crop: [number, number];
    stride: [number, number];
    windows_y1y2x1x2: readonly (readonly number[])[];
  }[];
}
const geometry = golden<Geometry>('unit/geometry.json');

const apply = ({ from, source, weight }: Taps, values: readonly number[]): number[] =>
  Array.from({ length: from.length - 1 }, (_, i) => {
    let sum = 0;
    for (let tap = from[i]!; tap < from[i + 1]!; tap++) sum += weight[tap]! * values[source[tap]!]!;
    return sum;
  });
const whole = (length: number) => [{ start: 0, length }];

describe('the official geometry', () => {
  it('of sizes', () => {
    for (const { wh, scale, out_wh } of geometry.fit_inside) {
      const size = { width: wh[0], height: wh[1] };
      const { width, height } = fitInside(size, Math.max(...scale), Math.min(...scale));
      expect([width, height]).toEqual(out_wh);
    }
  });

  it.each(geometry.slide)('of windows in $hw', ({ hw, crop, stride, windows_y1y2x1x2 }) => {
    const rows = slidingWindows(hw[0], crop[0], stride[0]);
    const columns = slidingWindows(hw[1], crop[1], stride[1]);
    const windows = rows.flatMap((y) =>
      columns.map((x) => [y.start, y.start + y.length, x.start, x.start + x.length]),
    );
    expect(windows).toEqual(windows_y1y2x1x2);
  });
});

describe('taps', () => {
  it('interpolate between the centres of cells and repeat the border', () => {
    const taps = windowTaps(whole(8), [2], 8, 8);
    expect(apply(taps, [0, 8])).toEqual([0, 0, 1, 3, 5, 7, 8, 8]);
  });

  it('do both resizes at once', () => {
    // 2 cells → 4 positions [0, 2, 6, 8] → 2 outputs, each the mean of two.
    expect(apply(windowTaps(whole(4), [2], 4, 2), [0, 8])).toEqual([1, 7]);
  });

  it('average windows where they overlap', () => {
    const windows = slidingWindows(6, 4, 2);
    const taps = windowTaps(windows, [1, 1], 6, 6);
    expect(apply(taps, [10, 20])).toEqual([10, 10, 15, 15, 20, 20]);
  });

  it('have weights that add up to one', () => {
    for (const [length, crop, stride, outputs] of [
      [97, 40, 27, 131],
      [512, 512, 341, 77],
      [31, 64, 64, 200],
    ] as const) {
      const windows = slidingWindows(length, crop, stride);
      const cells = windows.map((window) => Math.ceil(window.length / 4));
      const taps = windowTaps(windows, cells, length, outputs);
      const ones = new Array<number>(cells.reduce((a, b) => a + b)).fill(1);
      for (const sum of apply(taps, ones)) expect(sum).toBeCloseTo(1, 6);
    }
  });

  it('are read from the other end for a mirrored view', () => {
    const taps = windowTaps(whole(7), [3], 7, 9);
    const values = [3, -1, 4];
    expect(apply(mirrored(taps), values)).toEqual(apply(taps, values).reverse());
  });
});
