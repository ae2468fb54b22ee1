import { createRng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { eagerLoss } from './eager-loss.ts';
import type { LoopRecipe } from './recipe.ts';
import type { Task, TrainingData } from './task.ts';

/** The settings that turn off what keeps a network from learning a few images by heart, whatever the task. */
export const OVERFIT_SETTINGS = {
  accumulate: 1,
  lrBatch: null,
  weightDecay: 0,
  emaDecay: null,
  evalEvery: 0,
  schedule: { kind: 'multi-step', milestones: [], warmupSteps: 20, warmupRatio: 0.1 },
} as const;

/** A few batches, over and over. */
export interface OverfitData<Batch> extends TrainingData<Batch> {
  readonly kept: readonly Batch[];
}

/** The first `count` batches of `data` alone, over and over, in epochs as long as before. */
export async function overfit<Batch>(data: TrainingData<Batch>, count: number): Promise<OverfitData<Batch>> {
  const kept: Batch[] = [];
  try {
    for await (const batch of data.batches(0, 0)) {
      kept.push(batch);
      if (kept.length >= count) break;
    }
  } finally {
    await data.close?.();
  }
  return {
    ...data,
    kept,
    async *batches(_, start) {
      for (let i = start; i < data.batchesPerEpoch; i++) yield kept[i % kept.length]!;
    },
  };
}

/**
 * The task judged by its loss on what it learns by heart, of the network as it predicts. A network that cannot bring that near
 * zero has a fault, or its labels have.
 */
export function judgedByLoss<Batch>(
  task: Task<Batch>,
  { kept }: OverfitData<Batch>,
  { seed }: LoopRecipe,
): Task<Batch> {
  return {
    ...task,
    metric: { name: 'loss', better: 'lower' },
    async evaluate(signal) {
      let sum = 0;
      for (const [i, batch] of kept.entries()) {
        signal.throwIfAborted();
        const rng = createRng(seed).fork('overfit').fork(i);
        sum += tf.tidy(() => {
          const { total } = eagerLoss(task, { tensors: task.tensors(batch), rng }, false);
          return total.dataSync()[0]!;
        });
      }
      return { loss: sum / kept.length };
    },
  };
}

/** Says when a training has learnt its batches by heart. */
export interface OverfitWatch {
  /** Takes the loss of one update; whether a whole pass over the batches is near zero now. */
  add(loss: number): boolean;
  /** Mean of the first pass, and of the last one so far. */
  readonly first: number;
  readonly last: number;
}

/** Near zero is a twentieth of the mean loss of the first pass over the `count` batches, or 0.01. */
export function createOverfitWatch(count: number): OverfitWatch {
  const losses: number[] = [];
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  let first = Number.NaN;
  return {
    add: (loss) => {
      losses.push(loss);
      if (losses.length > count) losses.shift();
      if (losses.length < count) return false;
      if (Number.isNaN(first)) first = mean(losses);
      return mean(losses) <= Math.max(0.01, first / 20);
    },
    get first() {
      return first;
    },
    get last() {
      return mean(losses);
    },
  };
}
