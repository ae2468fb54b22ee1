import { AsMlpError } from '@as-mlp/base';
import type { LoopRecipe, ScheduleRecipe } from './recipe.ts';
import { linearWarmup, multiStep, poly, type Schedule, scaleLr, warmupCosine } from './schedule.ts';

/** A recipe laid out over a data set: how many updates there are, the learning rate of each, when to evaluate. */
export interface Plan {
  /** Updates in one epoch; batches that do not fill an update are left out. */
  readonly updatesPerEpoch: number;
  /** Updates in the whole training. */
  readonly totalUpdates: number;
  /** Images that one update sees. */
  readonly imagesPerUpdate: number;
  /** The learning rate applied by update number `update`, counted from 0. */
  learningRate(update: number): number;
  /** Whether the weights are evaluated after so many whole epochs. */
  evaluatesAfter(epochs: number): boolean;
  /** Evaluations that follow after so many whole epochs. */
  evaluationsAfter(epochs: number): number;
}

/**
 * Lays a recipe out over `batchesPerEpoch` batches. The time of a schedule counts batches, also where several are
 * accumulated into one update: an update happens at the time of its last batch.
 *
 * @throws AsMlpError (usage) when an epoch has too few batches for one update, or the warm-up never ends.
 */
export function planTraining(recipe: LoopRecipe, batchesPerEpoch: number): Plan {
  const { accumulate, epochs, batchSize, evalEvery } = recipe;
  const updatesPerEpoch = Math.floor(batchesPerEpoch / accumulate);
  if (!(updatesPerEpoch >= 1)) {
    throw new AsMlpError('usage', {
      where: 'the training data',
      what: `one epoch has ${batchesPerEpoch} batches and one update needs ${accumulate}`,
      fix: 'Lower batchSize or accumulate, or add images',
    });
  }
  const imagesPerUpdate = batchSize * accumulate;
  const scale = (lr: number) => (recipe.lrBatch === null ? lr : scaleLr(lr, imagesPerUpdate, recipe.lrBatch));
  const schedule = makeSchedule(recipe.schedule, scale(recipe.lr), scale, epochs, batchesPerEpoch);
  const timeOf = (update: number) =>
    Math.floor(update / updatesPerEpoch) * batchesPerEpoch +
    ((update % updatesPerEpoch) + 1) * accumulate -
    1;
  // The official classification loop sets the rate after an update, for the next one: every rate comes one update
  // late, and the first update runs at the rate of time 0.
  const late = recipe.schedule.kind === 'cosine' && recipe.schedule.lag;
  // In 0 < n < epochs; the one after the last epoch comes on top.
  const regular = (n: number) => (evalEvery === 0 ? 0 : Math.floor(Math.min(n, epochs - 1) / evalEvery));
  return {
    updatesPerEpoch,
    totalUpdates: epochs * updatesPerEpoch,
    imagesPerUpdate,
    learningRate: (update) => {
      if (!late) return schedule(timeOf(update));
      return schedule(update === 0 ? 0 : timeOf(update - 1));
    },
    evaluatesAfter: (done) => done === epochs || (done > 0 && evalEvery > 0 && done % evalEvery === 0),
    evaluationsAfter: (done) => (done >= epochs ? 0 : regular(epochs) - regular(done) + 1),
  };
}

function makeSchedule(
  recipe: ScheduleRecipe,
  lr: number,
  scale: (lr: number) => number,
  epochs: number,
  batchesPerEpoch: number,
): Schedule {
  const totalSteps = epochs * batchesPerEpoch;
  switch (recipe.kind) {
    case 'cosine':
      return warmupCosine({
        lr,
        warmupLr: scale(recipe.warmupLr),
        minLr: scale(recipe.minLr),
        totalSteps,
        warmupSteps: Math.trunc(recipe.warmupEpochs * batchesPerEpoch),
      });
    case 'multi-step': {
      const milestones = recipe.milestones.map((epoch) => epoch * batchesPerEpoch);
      return linearWarmup(multiStep({ lr, milestones, gamma: recipe.gamma }), {
        steps: recipe.warmupSteps,
        ratio: recipe.warmupRatio,
      });
    }
    case 'poly':
      return linearWarmup(poly({ lr, minLr: scale(recipe.minLr), power: recipe.power, totalSteps }), {
        steps: recipe.warmupSteps,
        ratio: recipe.warmupRatio,
      });
  }
}
