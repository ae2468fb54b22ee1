import { AsMlpError, type RngState } from '@as-mlp/base';
import { encodeSafetensors } from '@as-mlp/nn';
import { averagesFromFile, averagesToFile } from './averages.ts';
import { bestEvaluations, forgetWeights, keepWeights } from './best-weights.ts';
import { type SavedCheckpoint, saveCheckpoint, updateState, weightMetadata } from './checkpoint.ts';
import { describeEnvironment, type Environment } from './environment.ts';
import type { FitListeners, Run } from './events.ts';
import type { LogRecord, StepRecord } from './log.ts';
import type { LoopRecipe } from './recipe.ts';
import { type RunFolder, resumeRun, startRun } from './run-folder.ts';
import { openRunLog, type RunLog } from './run-log.ts';
import type { Evaluation, LossMemory, RunState } from './run-state.ts';
import type { Task, TrainingData } from './task.ts';
import type { Updater } from './updater.ts';

/** Where a training stands. */
export interface Position {
  /** Updates done. */
  readonly step: number;
  /** Whole epochs done. */
  readonly epoch: number;
  /** Batches of the next epoch that are done already. */
  readonly batch: number;
  /** Where the random numbers of the next update start. */
  readonly rng: RngState;
  /** What the guard against exploding losses remembers. */
  readonly losses: LossMemory;
}

/** The memory of a run: what is known so far, and the files that keep it. */
export interface RunRecord {
  /** Updates that the checkpoint has which this run goes on from; 0 for a new run. */
  readonly firstStep: number;
  /** What the guard against exploding losses remembered there. */
  readonly losses: LossMemory | undefined;
  /** Where the run lives. */
  readonly folder: RunFolder;
  readonly history: readonly Evaluation[];
  readonly best: Evaluation | null;
  /** Gives the updater its state back and notes the beginning in the log. */
  begin(updater: Updater): Promise<void>;
  logStep(record: Omit<StepRecord, 'type' | 'time'>): Promise<void>;
  /** Saves a checkpoint, unless this position is saved already. Returns its folder. */
  save(position: Position, updater: Updater): Promise<string>;
  /** Notes metrics at a position that is saved already, and keeps the weights if they are the best. */
  addEvaluation(position: Position, metrics: Readonly<Record<string, number>>): Promise<void>;
}

/**
 * Starts a run, or opens it again and loads the model's weights. Call it before the optimiser is made: loading may
 * replace the variables.
 */
export async function openRunRecord<Batch>(
  task: Task<Batch>,
  data: TrainingData<Batch>,
  recipe: LoopRecipe,
  run: Run,
  on: FitListeners,
): Promise<RunRecord> {
  const opened = run.resume ? await resumeRun(run.folder, { task, data }, recipe) : undefined;
  if (run.resume && !opened) on.notice?.(`${run.folder} holds no run yet: a new one starts`);
  const folder = opened?.folder ?? (await startRun(run.folder, recipe));
  const environment = describeEnvironment(run.engine);
  const checkpoint = opened?.checkpoint;
  if (checkpoint) {
    await checkpoint.withWeights((entries) => task.model.load(entries, { source: checkpoint.folder }));
    const before = checkpoint.state.environment.engine;
    if (before !== environment.engine) {
      on.notice?.(`this run was on ${before} and goes on on ${environment.engine}: the last bits may differ`);
    }
  }
  return createRecord({
    task,
    data,
    recipe,
    folder,
    environment,
    checkpoint,
    resumed: opened !== undefined,
    on,
  });
}

interface Setting<Batch> {
  readonly task: Task<Batch>;
  readonly data: TrainingData<Batch>;
  readonly recipe: LoopRecipe;
  readonly folder: RunFolder;
  readonly environment: Environment;
  readonly checkpoint: SavedCheckpoint | undefined;
  readonly resumed: boolean;
  readonly on: FitListeners;
}

function createRecord<Batch>(setting: Setting<Batch>): RunRecord {
  const { task, data, recipe, folder, environment, checkpoint, resumed, on } = setting;
  const firstStep = checkpoint?.state.step ?? 0;
  const history: Evaluation[] = [...(checkpoint?.state.history ?? [])];
  let best: Evaluation | null = checkpoint?.state.best ?? null;
  let saved = checkpoint ? { step: firstStep, folder: checkpoint.folder } : undefined;
  let runLog!: RunLog;
  const log = (record: LogRecord) => runLog.add(record);
  const now = () => new Date().toISOString();

  const stateAt = ({ step, epoch, batch, rng, losses }: Position): RunState => ({
    format: 1,
    task: task.name,
    step,
    epoch,
    batch,
    batchesPerEpoch: data.batchesPerEpoch,
    rng: { key: [...rng.key], position: rng.position },
    history,
    best,
    losses,
    metadata: task.metadata(),
    recipe: { ...recipe },
    environment: { ...environment },
  });

  const save = async (position: Position, updater: Updater): Promise<string> => {
    if (saved?.step === position.step) return saved.folder;
    await updater.pull('weights');
    const { averages, ...optimizer } = await updater.exportState();
    const content = {
      state: stateAt(position),
      weights: await task.model.stateDict(),
      optimizer,
      averages: averages && averagesToFile(task.model, averages),
    };
    saved = { step: position.step, folder: await saveCheckpoint(folder.checkpoints, content) };
    on.checkpoint?.(saved.folder, saved.step);
    return saved.folder;
  };

  return {
    firstStep,
    losses: checkpoint?.state.losses,
    folder,
    history,
    get best() {
      return best;
    },
    begin: async (updater) => {
      if (checkpoint) {
        const averages = checkpoint.hasAverages
          ? averagesFromFile(task.model, await checkpoint.readAverages())
          : undefined;
        await updater.importState({ ...(await checkpoint.readOptimizer()), averages });
      }
      // Only now is it certain that the run goes on.
      runLog = await openRunLog(folder, resumed ? { checkpoint: checkpoint?.state } : undefined);
      await log({ type: resumed ? 'resume' : 'start', time: now(), step: firstStep, environment });
    },
    logStep: (record) => log({ type: 'step', time: now(), ...record }),
    save,
    addEvaluation: async (position, values) => {
      const { step, epoch } = position;
      const metrics = Object.fromEntries(
        // JSON has no NaN, which is what a metric over nothing is.
        Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
      );
      const evaluation = { epoch, step, metrics };
      const isBest = isBetter(task, evaluation, best);
      if (isBest) best = evaluation;
      const kept = bestEvaluations(task.metric, [...history, evaluation], recipe.keepBest);
      await keepWeights(folder, recipe, kept, step, async () => {
        return encodeSafetensors(await task.model.stateDict(), weightMetadata(stateAt(position)));
      });
      history.push(evaluation);
      await log({ type: 'evaluation', time: now(), ...evaluation, best: isBest });
      // Last: until the state knows of the evaluation, a resumed run does it again.
      if (saved) await updateState(saved.folder, stateAt(position));
      await forgetWeights(folder, kept);
      await on.evaluation?.(evaluation, isBest);
    },
  };
}

function isBetter<Batch>({ metric }: Task<Batch>, now: Evaluation, best: Evaluation | null): boolean {
  const value = now.metrics[metric.name];
  if (value === undefined) {
    throw new AsMlpError('usage', {
      where: 'the task',
      what: `evaluate gave no "${metric.name}", the metric that decides (it gave ${Object.keys(now.metrics).join(', ')})`,
      fix: 'Return it from evaluate, or name another one in metric',
    });
  }
  if (value === null) return false;
  const before = best?.metrics[metric.name] ?? null;
  if (before === null) return true;
  return metric.better === 'higher' ? value > before : value < before;
}
