import { describe, expect, it } from 'vitest';
import { reduceZeroLabel } from '../data/reduce-zero-label.ts';
import { golden, labelMap } from '../golden.fixture.ts';
import { addToConfusion, createConfusion } from './confusion.ts';
import { segmentationMetrics } from './metrics.ts';

interface MetricsCase {
  readonly name: string;
  readonly num_classes: number;
  readonly reduce_zero_label: boolean;
  readonly predictions: readonly number[][][];
  readonly labels: readonly number[][][];
  readonly expected: {
    readonly mIoU: number | null;
    readonly mAcc: number | null;
    readonly aAcc: number | null;
    readonly IoU: readonly (number | null)[];
    readonly Acc: readonly (number | null)[];
    readonly intersect?: readonly number[];
  };
}

const { cases, atol } = golden<{ cases: MetricsCase[]; atol: number }>('unit/seg_metrics.json');

function expectClose(actual: readonly (number | null)[], expected: readonly (number | null)[]) {
  expect(actual.map((value) => value === null)).toEqual(expected.map((value) => value === null));
  actual.forEach((value, i) => {
    if (value !== null) expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(atol);
  });
}

describe('segmentationMetrics', () => {
  it.each(cases.map((one) => [one.name, one] as const))('equals the reference: %s', (_, one) => {
    const confusion = createConfusion(one.num_classes);
    one.labels.forEach((rows, i) => {
      const label = one.reduce_zero_label ? reduceZeroLabel(labelMap(rows)) : labelMap(rows);
      addToConfusion(confusion, labelMap(one.predictions[i]!), label);
    });
    const { mIoU, mAcc, aAcc, perClass, confusion: counts } = segmentationMetrics(confusion);
    const { expected } = one;
    expectClose([mIoU, mAcc, aAcc], [expected.mIoU, expected.mAcc, expected.aAcc]);
    expectClose(
      perClass.map(({ iou }) => iou),
      expected.IoU,
    );
    expectClose(
      perClass.map(({ acc }) => acc),
      expected.Acc,
    );
    const dice = expected.IoU.map((iou) => (iou === null ? null : (2 * iou) / (1 + iou)));
    expectClose(
      perClass.map((one) => one.dice),
      dice,
    );
    if (expected.intersect) expect(counts.map((row, k) => row[k])).toEqual(expected.intersect);
  });

  it('names the classes', () => {
    const { perClass } = segmentationMetrics(createConfusion(2), ['ground', 'sky']);
    expect(perClass.map(({ label, index, iou }) => [label, index, iou])).toEqual([
      ['ground', 0, null],
      ['sky', 1, null],
    ]);
  });
});

describe('addToConfusion', () => {
  it('refuses other sizes and unknown labels, and counts nothing then', () => {
    const confusion = createConfusion(2);
    const add = (prediction: number[][], label: number[][]) => () =>
      addToConfusion(confusion, labelMap(prediction), labelMap(label), {
        predictionName: 'p.png',
        labelName: 'l.png',
      });
    expect(add([[0, 0]], [[0], [0]])).toThrow('p.png: it is 2×1 pixels, and l.png 1×2');
    expect(add([[0, 0]], [[0, 2]])).toThrow('l.png: it holds the label 2');
    expect(add([[0, 7]], [[0, 1]])).toThrow('p.png: it holds the label 7');
    expect(confusion.counts.every((count) => count === 0)).toBe(true);
    add([[9, 0]], [[255, 1]])();
    expect([...confusion.counts]).toEqual([0, 0, 1, 0]);
  });
});
