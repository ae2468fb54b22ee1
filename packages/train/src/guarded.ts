import { AsMlpError } from '@as-mlp/base';
import type { StepBatch } from '@as-mlp/engine';
import { type Anomaly, AnomalyError, describeAnomaly, watchModules } from './anomaly.ts';
import { type Failure, writeFailure } from './failure.ts';
import type { LossGuard } from './loss-guard.ts';
import { gradientNorms, NotFiniteError, type StepResult } from './step.ts';
import { lossesOf, type Trainee, type Updater } from './updater.ts';
import { keepBuffers } from './values.ts';

/** One update of a run. */
export interface GuardedUpdate {
  /** The batches with their random numbers; made again for each call. */
  inputs(): readonly StepBatch[];
  readonly learningRate: number;
  /** Updates done, and the epoch, from 1. */
  readonly step: number;
  readonly epoch: number;
  /** Numbers and names of the batches. */
  readonly batches: string;
}

/** What {@link guardedUpdate} works with. */
export interface GuardedRun {
  readonly task: Trainee;
  readonly updater: Updater;
  readonly guard: LossGuard;
  /** Where `failure/` goes. */
  readonly failure: string;
}

/**
 * One update. When it cannot be made, or the loss explodes, the reason, the batch and the gradients – from a pass over the
 * same batch, one operation at a time – are kept in `failure/`.
 *
 * @throws AsMlpError (input) with the reason and the first layer that is not finite, if there is one.
 */
export async function guardedUpdate(run: GuardedRun, update: GuardedUpdate): Promise<StepResult> {
  const { step, epoch, batches, learningRate } = update;
  const where = `update ${step + 1} (epoch ${epoch}, ${batches})`;
  let report: StepResult | undefined;
  try {
    report = await run.updater.update(update.inputs(), { learningRate, where });
    const explosion = run.guard.check(report.loss);
    if (explosion === undefined) return report;
    throw new AsMlpError('input', {
      where,
      what: explosion,
      fix: 'Lower the learning rate, clip the gradients or warm up for longer; lossGuard says what counts as an explosion',
    });
  } catch (error) {
    const stops = error instanceof NotFiniteError || error instanceof AnomalyError || report !== undefined;
    if (!(error instanceof AsMlpError) || !stops) throw error;
    const found = error instanceof NotFiniteError ? error.report : report;
    const weights = report ? 'after' : 'before';
    const known = { reason: error.what, step, epoch, batches, learningRate, ...found, weights } as const;
    throw await explained(run, update, error, known);
  }
}

/** The error with what a second look finds; everything is written down. */
async function explained(
  { task, updater, failure: folder }: GuardedRun,
  { inputs }: GuardedUpdate,
  error: AsMlpError,
  known: Failure,
): Promise<AsMlpError> {
  let failure = known;
  try {
    await updater.pull('weights');
    failure = { ...known, ...diagnose(task, inputs()) };
  } catch (reason) {
    // Without the memory or the gradients for it, the rest is worth having still.
    failure = { ...known, notDiagnosed: messageOf(reason) };
  }
  const { anomaly } = failure;
  const layer = anomaly && !(error instanceof AnomalyError) ? `; ${describeAnomaly(anomaly)}` : '';
  const kept = await writeFailure(folder, failure, inputs()).then(
    () => `Its batch and gradients are in ${folder}`,
    (reason: unknown) => `Its batch and gradients could not be written (${messageOf(reason)})`,
  );
  const { where, what, fix } = error;
  return new AsMlpError('input', {
    where,
    what: what + layer,
    fix: `${fix}. ${kept}`,
    cause: error,
  });
}

/** A forward and backward pass by single operations: the first layer that is not finite, and all gradients. */
function diagnose(task: Trainee, batches: readonly StepBatch[]): Pick<Failure, 'anomaly' | 'gradientNorms'> {
  let anomaly: Anomaly | undefined;
  const stopWatching = watchModules(task.model, (found) => {
    anomaly ??= found;
  });
  const buffers = keepBuffers(task.model);
  try {
    const { norms } = gradientNorms(task.model, lossesOf(task, batches));
    const size = (norm: number) => (Number.isNaN(norm) ? Number.POSITIVE_INFINITY : norm);
    const sorted = Object.entries(norms).sort(([, a], [, b]) =>
      size(a) === size(b) ? 0 : size(b) - size(a),
    );
    return { anomaly, gradientNorms: Object.fromEntries(sorted) };
  } finally {
    stopWatching();
    buffers.restore();
    buffers.dispose();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
