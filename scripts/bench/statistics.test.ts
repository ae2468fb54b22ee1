import { describe, expect, it } from 'vitest';
import { formatSpread, ratioSpread, spread } from './statistics.ts';

describe('spread', () => {
  it('is the median between the outermost values', () => {
    expect(spread([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
  });
});

describe('ratioSpread', () => {
  it('compares within each round, so that a machine that slows down does not show', () => {
    expect(ratioSpread([2, 4, 20], [1, 2, 10])).toEqual({ median: 2, min: 2, max: 2 });
  });

  it('shows how far the rounds disagree', () => {
    expect(ratioSpread([3, 2, 4], [1, 1, 1])).toEqual({ median: 3, min: 2, max: 4 });
  });

  it('leaves rounds out that only one of them played', () => {
    expect(ratioSpread([3, 9], [1])).toEqual({ median: 3, min: 3, max: 3 });
  });
});

describe('formatSpread', () => {
  it('shows the median first', () => {
    expect(formatSpread({ median: 1.5, min: 1.25, max: 10 })).toBe('1.50 (1.25–10.00)');
  });
});
