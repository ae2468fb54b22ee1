import { describe, expect, it } from 'vitest';
import { linearScale, logScale } from './ticks.ts';

describe('scales', () => {
  it('have round numbers around the values', () => {
    const { ticks, place } = linearScale(0.13, 2.31);
    expect(ticks).toEqual([0, 1, 2, 3]);
    expect([place(0), place(1.5), place(3)]).toEqual([0, 0.5, 1]);
    expect(linearScale(0.981, 0.9938).ticks).toEqual([0.98, 0.985, 0.99, 0.995]);
  });

  it('have round numbers among the values', () => {
    const { ticks, place } = linearScale(0.01, 6, { nice: false });
    expect(ticks).toEqual([2, 4, 6]);
    expect([place(0.01), place(6)]).toEqual([0, 1]);
    expect(linearScale(1, 3, { nice: false, leastStep: 1 }).ticks).toEqual([1, 2, 3]);
  });

  it('have room for a single value', () => {
    const { ticks, place } = linearScale(5, 5);
    expect(ticks.length).toBeGreaterThan(1);
    expect(place(5)).toBeCloseTo(0.5, 12);
    expect(linearScale(0, 0).place(0)).toBeCloseTo(0.5, 12);
  });

  it('have powers of ten', () => {
    const { ticks, place } = logScale(0.02, 30);
    expect(ticks).toEqual([0.01, 0.1, 1, 10, 100]);
    expect(place(1)).toBeCloseTo(0.5, 12);
    expect(logScale(1e-7, 1e3).ticks).toEqual([1e-7, 1e-5, 1e-3, 0.1, 10, 1000]);
  });
});
