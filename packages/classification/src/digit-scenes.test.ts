import { expect, it } from 'vitest';
import { openDataset } from './dataset.ts';
import { DIGIT_SCENES } from './digit-scenes.ts';

it('opens pictures of one digit each, all ten of them', async () => {
  const dataset = openDataset(DIGIT_SCENES, { split: 'val' });
  expect(dataset.labels).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  const counts = new Int32Array(10);
  for (let i = 0; i < dataset.targets.length; i++) counts[dataset.targets[i]!]!++;
  for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(50);
  const { height, width } = await dataset.load(7);
  expect([height, width]).toEqual([64, 64]);
});
