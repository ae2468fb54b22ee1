import { expect, it } from 'vitest';
import { anchors } from '../boxes/anchors.ts';
import { chooseProposals } from './proposals.ts';

const level = (size: number, stride: number, logits: (index: number) => number) => ({
  height: size,
  width: size,
  stride,
  logits: Float32Array.from({ length: size * size * 3 }, (_, i) => logits(i)),
  deltas: new Float32Array(size * size * 12),
});
const clip = { height: 256, width: 256 };

it('takes the best anchors of each level, of equal ones the first, and cuts them to the image', () => {
  const rpn = [level(8, 32, (i) => (i < 100 ? 0 : -1))];
  const options = { perLevel: 5, limit: 10, threshold: 1 };
  const { boxes, scores } = chooseProposals(rpn, clip, options);
  expect([...scores]).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
  const all = anchors({ height: 8, width: 8 }, 32, [0, 1, 2, 3, 4]);
  expect(boxes).toEqual(all.map((value) => Math.min(256, Math.max(0, value))));
});

it('keeps boxes of different levels beside each other', () => {
  const one = level(4, 32, (i) => i / 10);
  expect(chooseProposals([one, one], clip, { perLevel: 1, limit: 9, threshold: 0.1 }).scores).toHaveLength(2);
  expect(chooseProposals([one], clip, { perLevel: 48, limit: 3, threshold: 0.7 }).scores).toHaveLength(3);
});
