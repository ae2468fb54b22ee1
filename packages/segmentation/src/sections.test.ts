import { describe, expect, it } from 'vitest';
import { labelMap } from './golden.fixture.ts';
import { imageScore } from './sections.ts';

describe('imageScore', () => {
  const of = (prediction: number[][], truth: number[][]) =>
    imageScore(labelMap(prediction), labelMap(truth), { numClasses: 4, ignore: 255 });

  it('is the mean over the classes of the image', () => {
    expect(of([[0, 0, 1, 1]], [[0, 0, 0, 1]])).toBe((2 / 3 + 1 / 2) / 2);
    expect(of([[3, 0]], [[255, 0]])).toBe(1);
  });

  it('is not defined where all is ignored', () => {
    expect(of([[3]], [[255]])).toBeNaN();
  });
});
