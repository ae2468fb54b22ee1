import { describe, expect, it } from 'vitest';
import { extremes } from './report-section.ts';

describe('extremes', () => {
  const scores = Float32Array.of(0.5, Number.NaN, 0.25, 1, 0.25, 0);

  it('finds the highest and the lowest, and passes over what has no score', () => {
    expect(extremes(scores, 2, 'highest')).toEqual([3, 0]);
    expect(extremes(scores, 3, 'lowest')).toEqual([5, 2, 4]);
    expect(extremes(scores, 9, 'highest')).toEqual([3, 0, 2, 4, 5]);
    expect(extremes([], 2, 'lowest')).toEqual([]);
  });
});
