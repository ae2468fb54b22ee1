import { createRng } from '@as-mlp/base';
import type { Engine } from '@as-mlp/engine';
import { ahead, grouped } from './ahead.ts';
import { freezeModules } from './freeze.ts';
import type { LoopRecipe } from './recipe.ts';
import type { StepResult } from './step.ts';
import type { Task, TrainingData } from './task.ts';
import { createUpdater } from './updater.ts';
import { keepValues } from './values.ts';

/** An update that is to be made. */
export interface TrialUpdate<Batch> {
  readonly batches: readonly Batch[];
  /** Milliseconds that the loop waited for them. */
  readonly waited: number;
  /** @throws NotFiniteError when the loss or a gradient is NaN or infinite. */
  run(learningRate: number): Promise<StepResult>;
}

/**
 * Real updates, at most `count`, of which nothing stays: when the reader leaves, the model has the weights that it had. Epochs
 * follow each other without evaluations, and no file is written. Modules that the recipe freezes stay frozen.
 */
export async function* trialUpdates<Batch>(
  task: Task<Batch>,
  data: TrainingData<Batch>,
  recipe: LoopRecipe,
  engine: Engine | undefined,
  count: number,
): AsyncGenerator<TrialUpdate<Batch>> {
  freezeModules(task.model, recipe.freeze);
  const values = keepValues([...task.model.namedTensors()].map(([, { value }]) => value));
  try {
    const updater = await createUpdater(task, recipe, engine);
    try {
      const groups = grouped(epochs(data, recipe), recipe.accumulate);
      let step = 0;
      for await (const { value: batches, waited } of ahead(groups, count)) {
        const rng = createRng(recipe.seed).fork('trial').fork(step);
        const inputs = batches.map((batch, i) => ({ tensors: task.tensors(batch), rng: rng.fork(i) }));
        const where = `trial update ${++step}`;
        yield { batches, waited, run: (learningRate) => updater.update(inputs, { learningRate, where }) };
      }
    } finally {
      await updater.dispose();
      await data.close?.();
    }
  } finally {
    values.restore();
    values.dispose();
  }
}

async function* epochs<Batch>(data: TrainingData<Batch>, { epochs }: LoopRecipe): AsyncGenerator<Batch> {
  for (let epoch = 0; ; epoch = (epoch + 1) % epochs) yield* data.batches(epoch, 0);
}
