import { expect, it } from 'vitest';
import { renumbered } from './submission.ts';

it('counts from 1 where 0 means unlabelled, and takes 16 bits where 8 are too few', () => {
  const labels = { height: 1, width: 3, data: Uint8Array.of(0, 7, 255) };
  expect(renumbered(labels, 0, 256).data).toEqual(Uint8Array.of(0, 7, 255));
  expect(renumbered(labels, 1, 256).data).toEqual(Uint16Array.of(1, 8, 256));
  const { data } = renumbered({ ...labels, data: Uint8Array.of(0, 7, 149) }, 1, 150);
  expect(data).toEqual(Uint8Array.of(1, 8, 150));
});
