import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loopRecipe, parseRecipe } from './recipe.ts';

const parse = (values: unknown) => parseRecipe(loopRecipe, values, 'recipe.json');

describe('parseRecipe', () => {
  it('fills in the official ImageNet recipe', () => {
    expect(parse({})).toMatchObject({
      epochs: 300,
      lr: 5e-4,
      lrBatch: 512,
      schedule: { kind: 'cosine', warmupEpochs: 20, warmupLr: 5e-7, minLr: 5e-6, lag: true },
      weightDecay: 0.05,
      betas: [0.9, 0.999],
      eps: 1e-8,
      clipNorm: 5,
      emaDecay: null,
    });
  });

  it('needs no kind to change the default schedule', () => {
    expect(parse({ schedule: { warmupEpochs: 1 } }).schedule).toMatchObject({
      kind: 'cosine',
      warmupEpochs: 1,
    });
  });

  it('is read back as it was written', () => {
    const recipe = parse({ schedule: { kind: 'poly' }, clipNorm: null });
    expect(parse(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe);
  });

  it.each([
    [{ epoch: 3 }, 'recipe.json: there is no setting "epoch". Did you mean "epochs".'],
    [
      { schedule: { warmupEpoch: 3 } },
      'recipe.json: there is no setting "schedule.warmupEpoch". Did you mean "schedule.warmupEpochs".',
    ],
    [
      { schedule: { kind: 'poly', powr: 3 } },
      'recipe.json: there is no setting "schedule.powr". Did you mean "schedule.power".',
    ],
    [
      { lr: -1, weigthDecay: 0 },
      'recipe.json: there is no setting "weigthDecay". Did you mean "weightDecay".',
    ],
  ])('names the nearest key for %j', (values, message) => {
    expect(() => parse(values)).toThrow(message);
  });

  it('lists the keys when none is near', () => {
    expect(() => parse({ schedule: { kind: 'poly', temperature: 1 } })).toThrow(
      'there is no setting "schedule.temperature". Known here: kind, power, minLr, warmupSteps, warmupRatio.',
    );
  });

  it.each([
    [{ epochs: 0 }, /epochs is wrong: too small/],
    [{ lr: 'fast' }, /lr is wrong: invalid input: expected number, received string/],
    [{ emaDecay: 1 }, /emaDecay is wrong: too big/],
    [{ betas: [0.9, 1] }, /betas.1 is wrong/],
    [
      { schedule: { kind: 'steps' } },
      /schedule.kind is wrong: the only values are "cosine", "multi-step", "poly"/,
    ],
    [[], /the recipe is wrong/],
  ])('refuses %j', (values, message) => {
    expect(() => parse(values)).toThrow(message);
  });

  it('serves a task that extends it', () => {
    const schema = loopRecipe.extend({
      augmentation: z
        .strictObject({ mixup: z.number().default(0.8), cutmix: z.number().default(1) })
        .prefault({}),
    });
    expect(parseRecipe(schema, { augmentation: { mixup: 0 } }).augmentation).toEqual({ mixup: 0, cutmix: 1 });
    expect(() => parseRecipe(schema, { augmentation: { mixupp: 0 } })).toThrow(
      'Did you mean "augmentation.mixup"',
    );
  });
});
