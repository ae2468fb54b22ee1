import { expect, it } from 'vitest';
import { boxArea } from './box.ts';

it('has no area where the corners are in the wrong order', () => {
  expect(boxArea([1, 2, 4, 6])).toBe(12);
  expect(boxArea([4, 2, 1, 6])).toBe(0);
});
