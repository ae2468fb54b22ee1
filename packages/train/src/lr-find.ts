import { AsMlpError } from '@as-mlp/base';
import type { Engine } from '@as-mlp/engine';
import type { LoopRecipe } from './recipe.ts';
import { NotFiniteError } from './step.ts';
import type { Task, TrainingData } from './task.ts';
import { trialUpdates } from './trial.ts';

/** What a sweep of learning rates goes through. */
export interface LrFindOptions {
  /** First and last rate, as applied; 1e-7 and 1 unless given. */
  readonly from?: number;
  readonly to?: number;
  /** Updates in between, equal steps of the logarithm; 100 unless given. */
  readonly updates?: number;
  /** Ends the sweep early. */
  readonly signal?: AbortSignal;
  readonly onUpdate?: (done: number, total: number) => void;
}

/** One update of a sweep. */
export interface LrPoint {
  readonly lr: number;
  readonly loss: number;
  /** The mean of the losses around it, weighted by nearness. */
  readonly smoothed: number;
}

/** What a sweep found; rates are as applied. */
export interface LrSweep {
  readonly points: readonly LrPoint[];
  /** Where the loss falls fastest; undefined where it does not fall. */
  readonly steepest: number | undefined;
  /** A tenth of the rate with the least loss. */
  readonly minimumOverTen: number | undefined;
  /** Whether the loss left the range that makes sense before the last rate. */
  readonly diverged: boolean;
}

/** The sweep ends when the loss is so many times the least one. */
const DIVERGED = 4;
/** Neighbours on each side that a loss is smoothed with. */
const REACH = 5;

/**
 * The learning-rate range test (Smith, 2017): trains with a rate that grows from update to update and records the losses. Batches,
 * clipping and weight decay are those of the training. The weights of the model are afterwards what they were.
 *
 * @throws AsMlpError (usage) for a range that is none.
 */
export async function findLearningRate<Batch>(
  task: Task<Batch>,
  data: TrainingData<Batch>,
  recipe: LoopRecipe,
  engine: Engine | undefined,
  options: LrFindOptions = {},
): Promise<LrSweep> {
  const { from = 1e-7, to = 1, updates = 100, signal, onUpdate } = options;
  if (!(from > 0 && to > from && updates >= 2)) {
    throw new AsMlpError('usage', {
      where: 'the range of learning rates',
      what: `${updates} updates from ${from} to ${to} are no sweep`,
      fix: 'Give a start above 0, a larger end, and two updates at least',
    });
  }
  const losses: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  let diverged = false;
  const rate = (i: number) => from * (to / from) ** (i / (updates - 1));
  for await (const { run } of trialUpdates(task, data, recipe, engine, updates)) {
    if (signal?.aborted) break;
    const loss = await run(rate(losses.length)).then(
      (result) => result.loss,
      (error: unknown) => {
        if (error instanceof NotFiniteError) return Number.POSITIVE_INFINITY;
        throw error;
      },
    );
    diverged = !(loss <= DIVERGED * least) && losses.length > 0;
    if (diverged) break;
    losses.push(loss);
    least = Math.min(least, loss);
    onUpdate?.(losses.length, updates);
  }
  const points = losses.map((loss, i) => ({ lr: rate(i), loss, smoothed: smooth(losses, i) }));
  return { points, ...suggest(points), diverged };
}

/** Mean of the losses around place `i`, each weighted by its nearness; as many on either side. */
function smooth(losses: readonly number[], i: number): number {
  const reach = Math.min(REACH, i, losses.length - 1 - i);
  let [sum, weights] = [0, 0];
  for (let k = -reach; k <= reach; k++) {
    const weight = REACH + 1 - Math.abs(k);
    sum += weight * losses[i + k]!;
    weights += weight;
  }
  return sum / weights;
}

/** Of a sweep in equal steps of the logarithm. */
function suggest(points: readonly LrPoint[]): Pick<LrSweep, 'steepest' | 'minimumOverTen'> {
  let [steepest, slope]: [number | undefined, number] = [undefined, 0];
  let least: LrPoint | undefined;
  for (const [i, point] of points.entries()) {
    if (!least || point.smoothed < least.smoothed) least = point;
    const [before, after] = [points[i - 1], points[i + 1]];
    if (!before || !after || after.smoothed - before.smoothed >= slope) continue;
    [steepest, slope] = [point.lr, after.smoothed - before.smoothed];
  }
  return { steepest, minimumOverTen: steepest === undefined ? undefined : least!.lr / 10 };
}
