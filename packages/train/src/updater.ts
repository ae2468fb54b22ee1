import type { Engine, StepBatch, TrainingState } from '@as-mlp/engine';
import {
  type AdamWGroup,
  type AveragesOptions,
  createAdamW,
  createAverages,
  noAverages,
  splitDecay,
} from '@as-mlp/nn';
import { type Anomaly, AnomalyError, watchModules } from './anomaly.ts';
import { eagerLoss } from './eager-loss.ts';
import type { LoopRecipe } from './recipe.ts';
import { assertFiniteStep, type StepResult, trainStep } from './step.ts';
import type { LossTerms, Task } from './task.ts';

/** How one update is made. */
export interface UpdateOptions {
  readonly learningRate: number;
  /** Names the step in error messages. */
  readonly where: string;
}

/** What makes the updates: every operation by itself, or the whole step as one graph. */
export interface Updater {
  /**
   * One update from the mean gradient of the batches.
   *
   * @throws NotFiniteError when the loss or a gradient is NaN or infinite, AnomalyError when something within the model is and
   *   that is looked for; the weights have not changed then.
   */
  update(batches: readonly StepBatch[], options: UpdateOptions): Promise<StepResult>;
  /**
   * Brings the weights, or their averages, into the model, which need not have either between updates. An update starts from
   * the weights whatever the model has. Only a recipe with `emaDecay` has averages.
   */
  pull(which: 'weights' | 'averages'): Promise<void>;
  exportState(): Promise<TrainingState>;
  importState(state: TrainingState): Promise<void>;
  dispose(): Promise<void>;
}

/** The part of a task that an update needs. */
export type Trainee = Pick<Task<unknown>, 'model' | 'decayRule' | 'inputs' | 'host' | 'loss'>;

/**
 * AdamW over the trainable parameters, in the two groups of the task's rule, and moving averages where the recipe wants them;
 * compiled where task and engine can.
 *
 * @param detectAnomaly look at every layer; nothing is compiled then.
 */
export async function createUpdater(
  task: Trainee,
  recipe: LoopRecipe,
  engine: Engine | undefined,
  detectAnomaly = false,
): Promise<Updater> {
  const groups = groupsOf(task, recipe);
  const averages = averagesOf(task, recipe);
  const { inputs } = task;
  const compile = engine?.compileTrainingStep;
  if (detectAnomaly || !compile || !inputs) {
    return eagerUpdater(task, recipe, groups, averages, detectAnomaly);
  }
  const { betas, eps, accumulate } = recipe;
  const step = await compile({
    groups,
    betas,
    eps,
    accumulate,
    averages,
    inputs,
    clipNorm: recipe.clipNorm ?? undefined,
    host: task.host,
    loss: (tensors, mode) => task.loss(tensors, mode),
  });
  return {
    update: async (batches, { learningRate, where }) => {
      const result = await step.run(batches, learningRate);
      assertFiniteStep(result, where);
      return result;
    },
    pull: (which) => step.pull(which),
    exportState: () => step.exportState(),
    importState: (state) => step.importState(state),
    dispose: () => step.dispose(),
  };
}

function eagerUpdater(
  task: Trainee,
  { betas, eps, clipNorm }: LoopRecipe,
  groups: readonly AdamWGroup[],
  averaged: AveragesOptions | undefined,
  detectAnomaly: boolean,
): Updater {
  const optimizer = createAdamW(groups, { betas, eps });
  const averages = averaged && createAverages(averaged);
  return {
    update: async (batches, options) => {
      averages?.put('weights');
      const losses = lossesOf(task, batches);
      let anomaly: Anomaly | undefined;
      const found = (one: Anomaly) => {
        anomaly ??= one;
      };
      const stopWatching = detectAnomaly ? watchModules(task.model, found) : undefined;
      const beforeChange = () => {
        if (anomaly) throw new AnomalyError(options.where, anomaly);
      };
      try {
        const result = trainStep(task.model, losses, optimizer, { ...options, clipNorm, beforeChange });
        averages?.update();
        return result;
      } finally {
        stopWatching?.();
      }
    },
    pull: async (which) => {
      if (averages) averages.put(which);
      else if (which === 'averages') throw noAverages();
    },
    exportState: async () => {
      return { ...(await optimizer.exportState()), averages: await averages?.exportState() };
    },
    importState: async ({ averages: given = [], ...state }) => {
      optimizer.importState(state);
      averages?.importState(given);
    },
    dispose: async () => {
      optimizer.dispose();
      averages?.dispose();
    },
  };
}

/** The losses of batches as functions that compute them, every operation by itself. */
export function lossesOf(task: Trainee, batches: readonly StepBatch[]): (() => LossTerms)[] {
  return batches.map((batch) => () => eagerLoss(task, batch, true));
}

function averagesOf({ model }: Trainee, { emaDecay }: LoopRecipe): AveragesOptions | undefined {
  if (emaDecay === null) return undefined;
  const variables = [...model.namedTensors()].map(([name, { value }]) => [name, value] as const);
  return { decay: emaDecay, variables };
}

function groupsOf({ model, decayRule }: Trainee, { weightDecay }: LoopRecipe): AdamWGroup[] {
  const trainable = [...model.namedParameters()].filter(([, parameter]) => parameter.trainable);
  const { decay, noDecay } = splitDecay(trainable, decayRule);
  const variables = (group: typeof decay) => group.map(([name, { value }]) => [name, value] as const);
  return [
    { params: variables(decay), weightDecay },
    { params: variables(noDecay), weightDecay: 0 },
  ];
}
