import { describe, expect, it } from 'vitest';
import { cocoPath, type EvalAnswers, readCoco, smallTruth } from './coco.fixture.ts';
import { evaluateCoco } from './coco-eval.ts';
import { precisionCurve, summarizeClasses, summarizeCoco } from './coco-metrics.ts';
import { loadResults } from './coco-results.ts';
import { openCoco, parseCoco } from './open-coco.ts';

const answers = readCoco<Record<'bbox' | 'segm', EvalAnswers>>('eval.json');

/** A precision of 1 as it comes out: hits / (hits + misses + 2⁻⁵²). */
const ONE = expect.closeTo(1, 12);

async function evaluate(annotations: readonly object[], results: readonly object[], options = {}) {
  const dataset = parseCoco(smallTruth(annotations), 'gt.json');
  const list = results.map((one) => ({
    image_id: 7,
    category_id: 5,
    score: 0.5,
    bbox: [0, 0, 10, 10],
    ...one,
  }));
  return evaluateCoco(dataset, await loadResults(list, dataset), 'bbox', options);
}

function expectAll(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  expect(Math.max(...expected.map((value, i) => Math.abs(value - actual[i]!)))).toBeLessThan(1e-9);
}

describe.each(['bbox', 'segm'] as const)('evaluation of %s', (type) => {
  it('is that of pycocotools', async () => {
    const dataset = await openCoco(cocoPath('gt.json'));
    const detections = await loadResults(cocoPath(`dt_${type}.json`), dataset);
    const evaluation = evaluateCoco(dataset, detections, type);
    const expected = answers[type];
    const metrics = summarizeCoco(evaluation);
    expect(Object.keys(metrics)).toEqual(expected.stat_names);
    expectAll(Object.values(metrics), expected.stats);
    expect(evaluation.categoryIds).toEqual(expected.category_ids);
    const classes = summarizeClasses(evaluation);
    expectAll(
      classes.map(({ AP }) => AP),
      expected.ap_per_class,
    );
    expectAll(
      classes.map(({ AP50 }) => AP50),
      expected.ap50_per_class,
    );
    expectAll(
      classes.map(({ AR }) => AR),
      expected.ar100_per_class,
    );
    expectAll(evaluation.recall, expected.recall.flat(3));
    expected.precision_at_50.forEach((curve, k) => {
      expectAll(precisionCurve(evaluation, 0.5, k), curve);
    });
    const shown = expected.precision_at_50.filter(([first]) => first! > -1);
    const mean = shown[0]!.map((_, r) => shown.reduce((sum, curve) => sum + curve[r]!, 0) / shown.length);
    expectAll(precisionCurve(evaluation, 0.5), mean);
  });
});

describe('evaluateCoco', () => {
  it('says 1 for a perfect detection, 0 for none, and −1 where there is nothing to find', async () => {
    expect(summarizeCoco(await evaluate([{}], [{}]))).toMatchObject({
      AP: ONE,
      APs: ONE,
      APm: -1,
      AR1: 1,
      ARl: -1,
    });
    expect(summarizeCoco(await evaluate([{}], []))).toMatchObject({ AP: 0, AR100: 0 });
    expect(summarizeCoco(await evaluate([], [{}]))).toMatchObject({ AP: -1, AR100: -1 });
    const [first] = summarizeClasses(await evaluate([{}], [{}]));
    expect(first).toEqual({ AP: -1, AP50: -1, AR: -1 });
  });

  it('reads the score of each recall', async () => {
    const evaluation = await evaluate(
      [{}, { bbox: [20, 0, 10, 10] }],
      [{ score: 0.9 }, { score: 0.6, bbox: [0, 20, 5, 5] }, { score: 0.3, bbox: [20, 0, 10, 10] }],
    );
    const [, R, K, A, M] = evaluation.shape;
    const at = (r: number) => ((r * K + 1) * A + 0) * M + M - 1;
    expect(R).toBe(101);
    expect([at(0), at(50), at(51), at(100)].map((i) => evaluation.scores[i])).toEqual([0.9, 0.9, 0.3, 0.3]);
    expect([at(0), at(50), at(51)].map((i) => evaluation.precision[i])).toEqual([
      ONE,
      ONE,
      expect.closeTo(2 / 3, 12),
    ]);
  });

  it('keeps the order of equal scores', async () => {
    const wrong = { bbox: [20, 20, 5, 5] };
    const ap = async (results: object[]) => summarizeCoco(await evaluate([{}], results)).AP;
    expect(await ap([{}, wrong])).toBeCloseTo(1, 12);
    expect(await ap([wrong, {}])).toBeCloseTo(0.5, 12);
  });

  it('counts a hundred detections an image and class, or as many as asked', async () => {
    const wrong = Array.from({ length: 100 }, () => ({ bbox: [20, 20, 5, 5], score: 0.9 }));
    expect(summarizeCoco(await evaluate([{}], [...wrong, {}])).AR100).toBe(0);
    expect(summarizeCoco(await evaluate([{}], [...wrong.slice(1), {}])).AR100).toBe(1);
    const more = await evaluate([{}], [...wrong, {}], { maxDetections: [1, 10, 200] });
    expect(summarizeCoco(more).AR100).toBe(1);
  });

  it('takes all classes for one when told so', async () => {
    const found = [{ category_id: 2 }];
    expect(summarizeCoco(await evaluate([{}], found)).AP).toBe(0);
    const evaluation = await evaluate([{}], found, { useCategories: false });
    expect(summarizeCoco(evaluation).AP).toBeCloseTo(1, 12);
    expect(evaluation.categoryIds).toEqual([-1]);
  });

  it('leaves an annotation with id 0 unmatched, as pycocotools does', async () => {
    expect(summarizeCoco(await evaluate([{ id: 0 }], [{}]))).toMatchObject({ AP: 0, AR100: 0 });
  });

  it('has no curve between the thresholds', async () => {
    const evaluation = await evaluate([{}], [{}]);
    expect(() => precisionCurve(evaluation, 0.51)).toThrow(/0\.51 is no IoU threshold/);
  });
});
