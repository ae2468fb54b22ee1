import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ClassificationEvaluator, softmax, topK } from './metrics.ts';

interface MetricCase {
  name: string;
  logits: { shape: [number, number]; data: number[] };
  target: number[];
  top1: { lowest_index_first: number };
  top5: { lowest_index_first: number };
}

const golden = JSON.parse(readFileSync(new URL('../golden/metrics.json', import.meta.url), 'utf8')) as {
  cases: MetricCase[];
};

describe('ClassificationEvaluator', () => {
  it.each(golden.cases.map((c) => [c.name, c] as const))('counts top-1 and top-5: %s', (_, c) => {
    const [, numClasses] = c.logits.shape;
    const evaluator = new ClassificationEvaluator(numClasses);
    evaluator.add({ scores: Float32Array.from(c.logits.data), numClasses, targets: c.target });
    const { top1, top5, count } = evaluator.metrics();
    expect(top1 * 100).toBeCloseTo(c.top1.lowest_index_first, 4);
    expect(top5 * 100).toBeCloseTo(c.top5.lowest_index_first, 4);
    expect(count).toBe(c.target.length);
  });

  it('weights batches by their samples and fills the confusion matrix', () => {
    const evaluator = new ClassificationEvaluator(2);
    evaluator.add({ scores: Float32Array.of(1, 0, 1, 0, 0, 1), numClasses: 2, targets: [0, 1, 1] });
    evaluator.add({ scores: Float32Array.of(0, 1), numClasses: 2, targets: [1] });
    expect(evaluator.metrics()).toEqual({ top1: 0.75, top5: 1, count: 4 });
    expect([...evaluator.confusion]).toEqual([1, 0, 1, 2]);
    expect(evaluator.perClass()).toEqual([
      { index: 0, count: 1, top1: 1 },
      { index: 1, count: 3, top1: 2 / 3 },
    ]);
  });
});

describe('topK', () => {
  it('puts the lower index first among equals and stops at the number of classes', () => {
    expect(topK([1, 3, 3, 2], 3)).toEqual([1, 2, 3]);
    expect(topK([0, 0], 5)).toEqual([0, 1]);
  });
});

describe('softmax', () => {
  it('sums to one for large logits', () => {
    const scores = softmax([1000, 999]);
    expect(scores[0]! + scores[1]!).toBeCloseTo(1, 12);
    expect(scores[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
  });
});
