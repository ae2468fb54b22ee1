import { expect, it } from 'vitest';
import { floats, golden } from '../golden.fixture.ts';
import { roiLevels } from './levels.ts';

const { boxes, expected } = golden<{ boxes: number[][]; expected: number[] }>('unit/levels.json');

it('are the official ones, also right beside their limits', () => {
  expect([...roiLevels(floats(boxes), 4)]).toEqual(expected);
});

it('end at the coarsest', () => {
  expect([...roiLevels(Float32Array.of(0, 0, 5000, 5000), 2)]).toEqual([1]);
});
