import { expect, it } from 'vitest';
import { floats, golden } from '../golden.fixture.ts';
import { bestFirst, nonMaximumSuppression } from './nms.ts';

interface Case {
  readonly note: string;
  readonly boxes: number[][];
  readonly scores: number[];
  readonly groups: number[];
  readonly iou_thr: number;
  readonly keep: number[];
}
const { cases } = golden<{ cases: readonly Case[] }>('unit/nms.json');

it.each(cases)(
  'keeps what is kept officially: $note, $iou_thr',
  ({ boxes, scores, groups, iou_thr, keep }) => {
    const kept = nonMaximumSuppression(floats(boxes), floats(scores), { threshold: iou_thr, groups });
    expect([...kept]).toEqual(keep);
  },
);

it('stops at the limit', () => {
  const { boxes, scores, groups, iou_thr, keep } = cases[0]!;
  const options = { threshold: iou_thr, groups, limit: 3 };
  expect([...nonMaximumSuppression(floats(boxes), floats(scores), options)]).toEqual(keep.slice(0, 3));
  expect(nonMaximumSuppression(new Float32Array(0), new Float32Array(0), { threshold: 0.5 })).toHaveLength(0);
});

it('ranks equal scores in their order', () => {
  expect([...bestFirst(Float32Array.of(0.5, 0.9, 0.5, 0.9, 0.1))]).toEqual([1, 3, 0, 2, 4]);
});
