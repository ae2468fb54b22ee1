import type { Engine } from '@as-mlp/engine';
import { planTraining } from './plan.ts';
import type { LoopRecipe } from './recipe.ts';
import type { StepResult } from './step.ts';
import type { Task, TrainingData } from './task.ts';
import { trialUpdates } from './trial.ts';

/** What a few updates tell of a training. */
export interface Rehearsal<Batch> {
  /** The first batch of the training. */
  readonly batch: Batch;
  readonly results: readonly StepResult[];
  /** Of one update, with loading: the fastest but the first, which warms up. */
  readonly secondsPerUpdate: number;
  /** Of the whole training without its evaluations. */
  readonly seconds: number;
}

/**
 * Makes `updates` real updates and throws the weights away.
 *
 * @throws AsMlpError (input) when a loss or gradient is not finite.
 */
export async function rehearse<Batch>(
  task: Task<Batch>,
  data: TrainingData<Batch>,
  recipe: LoopRecipe,
  engine: Engine | undefined,
  updates = 3,
): Promise<Rehearsal<Batch>> {
  const { learningRate, totalUpdates } = planTraining(recipe, data.batchesPerEpoch);
  const results: StepResult[] = [];
  const times: number[] = [];
  let first: Batch | undefined;
  let begun = performance.now();
  for await (const { batches, run } of trialUpdates(task, data, recipe, engine, updates)) {
    first ??= batches[0]!;
    results.push(await run(learningRate(results.length)));
    times.push((performance.now() - begun) / 1000);
    begun = performance.now();
  }
  const secondsPerUpdate = Math.min(...(times.length > 1 ? times.slice(1) : times));
  return { batch: first!, results, secondsPerUpdate, seconds: totalUpdates * secondsPerUpdate };
}
