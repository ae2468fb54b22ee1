import { createRng } from '@as-mlp/base';
import { openEngine } from '@as-mlp/engine';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { BATCH, TINY_INPUTS, TinyModel, tinyRecipe, tinyTask } from './tiny-task.fixture.ts';
import { createUpdater, type Updater } from './updater.ts';

const engine = await openEngine({ log: () => undefined });

function batch(seed: number) {
  const rng = createRng(seed).fork('batch');
  const y = Int32Array.from({ length: BATCH }, () => rng.int(3));
  const tensors = [
    { shape: [BATCH, 2], data: rng.normal(2 * BATCH) },
    { shape: [BATCH], data: y },
  ];
  return { tensors, rng: createRng(seed) };
}

const valuesOf = (model: TinyModel) =>
  [...model.namedTensors()].flatMap(([, { value }]) => [...value.dataSync()]);

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

describe.skipIf(!engine.compileTrainingStep)('createUpdater', () => {
  it.each([1, 2])('averages alike compiled and not, with %i batches an update', async (accumulate) => {
    const recipe = tinyRecipe({ emaDecay: 0.7, accumulate });
    const run = async (compiled: boolean, use: (updater: Updater, model: TinyModel) => Promise<void>) => {
      const model = new TinyModel();
      // Its gradient, before a batch norm, is zero but for rounding, and Adam makes whole steps of that.
      model.hidden.bias!.trainable = false;
      const task = tinyTask(compiled ? { model, inputs: TINY_INPUTS } : { model });
      const updater = await createUpdater(task, recipe, engine);
      await use(updater, model);
      await updater.dispose();
    };
    const after = async (updater: Updater, model: TinyModel) => {
      const options = { learningRate: 0.05, where: 'here' };
      const update = (i: number) => {
        const batches = Array.from({ length: accumulate }, (_, k) => batch(10 * i + k));
        return updater.update(batches, options);
      };
      await update(0);
      // Whatever the model has, the next update starts from the weights.
      await updater.pull('averages');
      for (let i = 1; i < 5; i++) await update(i);
      await updater.pull('averages');
      const averages = valuesOf(model);
      await updater.pull('weights');
      return { averages, weights: valuesOf(model), state: await updater.exportState() };
    };
    const found: Awaited<ReturnType<typeof after>>[] = [];
    for (const compiled of [true, false]) {
      await run(compiled, async (updater, model) => void found.push(await after(updater, model)));
    }
    const [compiled, eager] = [found[0]!, found[1]!];
    expect(distance(compiled.averages, eager.averages)).toBeLessThan(1e-5);
    expect(distance(compiled.weights, eager.weights)).toBeLessThan(1e-5);
    expect(distance(eager.averages, eager.weights)).toBeGreaterThan(0.01);
    const names = ({ state }: (typeof found)[0]) => state.averages!.map(({ name, shape }) => [name, shape]);
    expect(names(compiled)).toEqual(names(eager));
    expect(eager.state.averages!.flatMap(({ data }) => [...data])).toEqual(eager.averages);
  });

  it.each([true, false])('keeps no averages unasked (compiled: %s)', async (compiled) => {
    const task = tinyTask(compiled ? { inputs: TINY_INPUTS } : {});
    const updater = await createUpdater(task, tinyRecipe(), engine);
    expect((await updater.exportState()).averages).toBeUndefined();
    await expect(updater.pull('averages')).rejects.toThrow('keeps no averages');
    await updater.dispose();
  });

  it('frees its averages, and leaves the weights in the model', async () => {
    const model = new TinyModel();
    const weights = valuesOf(model);
    const task = tinyTask({ model });
    const before = tf.memory().numTensors;
    const updater = await createUpdater(task, tinyRecipe({ emaDecay: 0.9 }), engine);
    await updater.update([batch(0)], { learningRate: 0, where: 'here' });
    const state = await updater.exportState();
    await updater.importState({
      ...state,
      averages: state.averages!.map((one) => ({ ...one, data: one.data.map((value) => value + 1) })),
    });
    await updater.pull('averages');
    expect(valuesOf(model)[0]).toBeCloseTo(weights[0]! + 1, 5);
    await updater.dispose();
    expect(valuesOf(model)[0]).toBe(weights[0]);
    expect(tf.memory().numTensors).toBe(before);
  });
});
