import { setImmediate } from 'node:timers/promises';
import { AsMlpError, createRng, type Rng } from '@as-mlp/base';
import { ahead, grouped } from './ahead.ts';
import { memoryUse } from './environment.ts';
import type { FitListeners, FitResult, Run } from './events.ts';
import { freezeModules } from './freeze.ts';
import { guardedUpdate } from './guarded.ts';
import { createLossGuard } from './loss-guard.ts';
import { createMeter } from './meter.ts';
import { planTraining } from './plan.ts';
import type { LoopRecipe } from './recipe.ts';
import { openRunRecord, type Position } from './run-record.ts';
import type { Task, TrainingData } from './task.ts';
import { createUpdater } from './updater.ts';

/**
 * Trains `task.model` on `data` with AdamW as `recipe` says and leaves a run folder: recipe, log, checkpoints, best weights.
 *
 * Everything random follows from the seed and the number of the update, so a run that is stopped at any moment and
 * resumed on the same machine ends with the same bits as one that never stopped. `signal` stops the training after the
 * current update, or the current evaluation, with a checkpoint.
 *
 * @throws AsMlpError (usage) when the folder is not empty, a run is resumed differently than it was started, or `freeze` names
 *   no parameter; (input) when a loss or gradient is not finite, a loss explodes, or an epoch ends too early; (io) when a file
 *   cannot be written. The last checkpoint stays as it was.
 */
export async function fit<Batch>(
  task: Task<Batch>,
  data: TrainingData<Batch>,
  recipe: LoopRecipe,
  run: Run,
  { signal = new AbortController().signal, on = {} }: { signal?: AbortSignal; on?: FitListeners } = {},
): Promise<FitResult> {
  const plan = planTraining(recipe, data.batchesPerEpoch);
  const { updatesPerEpoch, totalUpdates } = plan;
  const { accumulate, saveEvery, logEvery } = recipe;
  const evaluates = recipe.emaDecay === null ? 'weights' : 'averages';

  freezeModules(task.model, recipe.freeze);
  const record = await openRunRecord(task, data, recipe, run, on);
  const updater = await createUpdater(task, recipe, run.engine, run.detectAnomaly);
  const guard = createLossGuard(recipe.lossGuard, record.losses);
  const guarded = { task, updater, guard, failure: record.folder.failure };
  const meter = createMeter();
  let step = record.firstStep;
  const position = (): Position => ({
    step,
    epoch: Math.floor(step / updatesPerEpoch),
    batch: (step % updatesPerEpoch) * accumulate,
    rng: updateRng(recipe, step).state(),
    losses: guard.memory(),
  });
  const evaluated = () => record.history.at(-1)?.step === step;

  try {
    await record.begin(updater);
    while (!signal.aborted) {
      const { epoch, batch: firstBatch } = position();

      // Between two epochs. A run that stopped before its evaluation was done comes back to here.
      if (firstBatch === 0 && plan.evaluatesAfter(epoch) && !evaluated()) {
        const begun = performance.now();
        await updater.pull(evaluates);
        const metrics = await evaluate(task, signal);
        if (metrics) {
          meter.evaluation(performance.now() - begun);
          await record.addEvaluation(position(), metrics);
        }
        if (evaluates === 'averages') await updater.pull('weights');
        if (!metrics) break;
      }
      if (step === totalUpdates) break;

      const groups = grouped(data.batches(epoch, firstBatch), accumulate);
      const epochEnd = (epoch + 1) * updatesPerEpoch;
      let begun = performance.now();
      for await (const { value: batches, waited } of ahead(groups, epochEnd - step)) {
        const lr = plan.learningRate(step);
        const rng = updateRng(recipe, step);
        const result = await guardedUpdate(guarded, {
          inputs: () => batches.map((batch, i) => ({ tensors: task.tensors(batch), rng: rng.fork(i) })),
          learningRate: lr,
          step,
          epoch: epoch + 1,
          batches: describe(data, batches, position().batch),
        });
        step++;

        meter.step(plan.imagesPerUpdate, performance.now() - begun, waited);
        begun = performance.now();
        if (step % logEvery === 0 || step === totalUpdates) {
          await record.logStep({
            step,
            epoch: epoch + 1,
            ...result,
            lr,
            ...meter.lap(),
            memory: memoryUse(),
          });
        }
        on.progress?.({
          ...result,
          step,
          totalSteps: totalUpdates,
          epoch: epoch + 1,
          epochs: recipe.epochs,
          learningRate: lr,
          imgPerSec: meter.imgPerSec(),
          dataWait: meter.dataWait(),
          memory: memoryUse(),
          etaSeconds: meter.remaining(totalUpdates - step, plan.evaluationsAfter(epoch)),
        });
        if (saveEvery > 0 && step % saveEvery === 0) await record.save(position(), updater);
        // An update blocks the event loop: let signals, workers and the terminal have their turn.
        await setImmediate();
        if (signal.aborted) break;
      }
      if (step < epochEnd && !signal.aborted) throw endedEarly(data, position());
      await record.save(position(), updater);
    }
    const checkpoint = await record.save(position(), updater);
    const { history, best } = record;
    return { completed: step === totalUpdates && evaluated(), step, history, best, checkpoint };
  } finally {
    await updater.dispose();
    await data.close?.();
  }
}

/** The random numbers of one update, whatever came before it. */
function updateRng({ seed }: LoopRecipe, update: number): Rng {
  return createRng(seed).fork('update').fork(update);
}

/** The metrics, or undefined when `signal` came first. */
async function evaluate<Batch>(task: Task<Batch>, signal: AbortSignal) {
  try {
    const metrics = await task.evaluate(signal);
    return signal.aborted ? undefined : metrics;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** `batch 4 of 100: a.jpg, b.jpg`, or `batches 5 to 8 of 100: …` when several make one update. */
function describe<Batch>(data: TrainingData<Batch>, batches: readonly Batch[], first: number): string {
  const last = first + batches.length;
  const numbers = batches.length === 1 ? `batch ${last}` : `batches ${first + 1} to ${last}`;
  const names = batches.flatMap((batch) => data.describe?.(batch) ?? []);
  return `${numbers} of ${data.batchesPerEpoch}${names.length > 0 ? `: ${names.join(', ')}` : ''}`;
}

function endedEarly<Batch>({ batchesPerEpoch }: TrainingData<Batch>, { epoch, batch }: Position): AsMlpError {
  return new AsMlpError('input', {
    where: `epoch ${epoch + 1}`,
    what: `the data ended after ${batch} of ${batchesPerEpoch} batches`,
    fix: 'Let batches(epoch, start) give every batch of the epoch from start on',
  });
}
