import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planTraining } from './plan.ts';
import { loopRecipe, parseRecipe } from './recipe.ts';
import { linearWarmup, multiStep, poly, scaleLr, warmupCosine } from './schedule.ts';

interface ClassificationCurve {
  readonly steps_per_epoch: number;
  readonly global_batch: number;
  readonly accumulation: number;
  readonly base_lr: number;
  readonly warmup_lr: number;
  readonly min_lr: number;
  readonly total_steps: number;
  readonly warmup_steps: number;
  readonly t: number[] | null;
  readonly scheduled: number[];
  readonly applied?: { step: number; lr: number }[];
  readonly updates_of_first_two_epochs?: { micro: number; lr_applied: number }[];
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8'));
const classification: { rtol: number; settings: ClassificationCurve[] } = read('lr-classification.json');
const segmentation: {
  base: number;
  max_iters: number;
  warmup_iters: number;
  warmup_ratio: number;
  power: number;
  min_lr: number;
  rtol: number;
  points: [number, number][];
} = read('lr-segmentation.json');

function expectRate(actual: number, expected: number, rtol: number, what: string): void {
  expect(Math.abs(actual - expected), `${what}: ${actual} for ${expected}`).toBeLessThanOrEqual(
    rtol * expected,
  );
}

/** The plan of the official recipe on a data set of that many batches. */
const officialPlan = (curve: ClassificationCurve) => {
  const accumulate = Math.max(1, curve.accumulation);
  const recipe = parseRecipe(loopRecipe, { batchSize: curve.global_batch, accumulate });
  return planTraining(recipe, curve.steps_per_epoch);
};

describe.each(classification.settings)('warm-up and cosine, batch $global_batch × $accumulation', (curve) => {
  const { rtol } = classification;

  it('scale with the images of an update', () => {
    const images = curve.global_batch * Math.max(1, curve.accumulation);
    expectRate(scaleLr(5e-4, images, 512), curve.base_lr, rtol, 'base');
    expectRate(scaleLr(5e-7, images, 512), curve.warmup_lr, rtol, 'warm-up');
    expectRate(scaleLr(5e-6, images, 512), curve.min_lr, rtol, 'minimum');
  });

  it('follow the official schedule', () => {
    const schedule = warmupCosine({
      lr: curve.base_lr,
      warmupLr: curve.warmup_lr,
      minLr: curve.min_lr,
      totalSteps: curve.total_steps,
      warmupSteps: curve.warmup_steps,
    });
    curve.scheduled.forEach((expected, i) => {
      const t = curve.t?.[i] ?? i;
      expectRate(schedule(t), expected, rtol, `t = ${t}`);
    });
  });

  it('apply the rates that the official loop applies', () => {
    const plan = officialPlan(curve);
    for (const { step, lr } of curve.applied ?? [])
      expectRate(plan.learningRate(step), lr, rtol, `update ${step}`);
    curve.updates_of_first_two_epochs?.forEach(({ lr_applied }, update) => {
      expectRate(plan.learningRate(update), lr_applied, rtol, `update ${update}`);
    });
    expect((curve.applied ?? curve.updates_of_first_two_epochs)!.length).toBeGreaterThan(7);
  });
});

describe('warmupCosine', () => {
  const base = { lr: 1, warmupLr: 0, minLr: 0, totalSteps: 4 };

  it('without a warm-up starts at the top', () => {
    const schedule = warmupCosine({ ...base, warmupSteps: 0 });
    expect([0, 2, 4, 9].map(schedule)).toEqual([1, expect.closeTo(0.5, 12), 0, 0]);
  });

  it('refuses a warm-up that never ends', () => {
    expect(() => warmupCosine({ ...base, warmupSteps: 4 })).toThrow(/warm-up of 4 batches does not end/);
  });
});

describe('poly with a linear warm-up', () => {
  it('follows the official segmentation schedule', () => {
    const {
      base: lr,
      min_lr: minLr,
      power,
      max_iters: totalSteps,
      warmup_iters,
      warmup_ratio,
      rtol,
    } = segmentation;
    const schedule = linearWarmup(poly({ lr, minLr, power, totalSteps }), {
      steps: warmup_iters,
      ratio: warmup_ratio,
    });
    expect(segmentation.points.length).toBeGreaterThan(50);
    for (const [t, expected] of segmentation.points) expectRate(schedule(t), expected, rtol, `t = ${t}`);
  });
});

describe('multiStep with a linear warm-up', () => {
  it('drops at the milestones of the detection recipe', () => {
    const schedule = { kind: 'multi-step', milestones: [8, 11], warmupSteps: 500, warmupRatio: 0.001 };
    const recipe = parseRecipe(loopRecipe, { epochs: 12, batchSize: 16, lr: 1e-4, lrBatch: null, schedule });
    const { learningRate } = planTraining(recipe, 1000);
    expect(learningRate(0)).toBeCloseTo(1e-7, 12);
    expect(learningRate(250)).toBeCloseTo(1e-4 * (0.001 + 0.999 / 2), 12);
    expect(learningRate(500)).toBe(1e-4);
    expect([7999, 8000, 10_999, 11_000].map(learningRate)).toEqual([
      1e-4,
      expect.closeTo(1e-5, 12),
      expect.closeTo(1e-5, 12),
      expect.closeTo(1e-6, 12),
    ]);
  });

  it('counts a milestone from its own time on', () => {
    expect([2, 3, 4, 5].map(multiStep({ lr: 8, milestones: [3, 5], gamma: 0.5 }))).toEqual([8, 4, 4, 2]);
  });
});

describe('planTraining', () => {
  it('leaves out batches that do not fill an update', () => {
    const plan = planTraining(parseRecipe(loopRecipe, { epochs: 40, batchSize: 2, accumulate: 3 }), 8);
    expect(plan).toMatchObject({ updatesPerEpoch: 2, totalUpdates: 80, imagesPerUpdate: 6 });
  });

  it('refuses data that never make an update', () => {
    expect(() => planTraining(parseRecipe(loopRecipe, { accumulate: 4 }), 3)).toThrow(
      /has 3 batches and one update needs 4/,
    );
    expect(() => planTraining(parseRecipe(loopRecipe, {}), 0)).toThrow(/has 0 batches/);
  });

  it.each([
    { epochs: 4, evalEvery: 1 },
    { epochs: 4, evalEvery: 2 },
    { epochs: 5, evalEvery: 3 },
    { epochs: 5, evalEvery: 7 },
    { epochs: 5, evalEvery: 0 },
  ])('counts the evaluations of $epochs epochs, one every $evalEvery', ({ epochs, evalEvery }) => {
    const schedule = { warmupEpochs: 0 };
    const plan = planTraining(parseRecipe(loopRecipe, { epochs, evalEvery, schedule }), 1);
    expect(plan.evaluatesAfter(0)).toBe(false);
    expect(plan.evaluatesAfter(epochs)).toBe(true);
    for (let done = 0; done <= epochs; done++) {
      const later = Array.from({ length: epochs - done }, (_, i) => done + 1 + i).filter(plan.evaluatesAfter);
      expect(plan.evaluationsAfter(done), `after ${done}`).toBe(later.length);
    }
  });

  it('takes the rate as it is where it is meant for no batch size', () => {
    const schedule = { warmupEpochs: 0, lag: false };
    const plan = planTraining(
      parseRecipe(loopRecipe, { lr: 0.25, lrBatch: null, batchSize: 7, schedule }),
      10,
    );
    expect(plan.learningRate(0)).toBe(0.25);
  });
});
