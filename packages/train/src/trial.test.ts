import { openEngine } from '@as-mlp/engine';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { findLearningRate } from './lr-find.ts';
import { createOverfitWatch, judgedByLoss, overfit } from './overfit.ts';
import { rehearse } from './rehearse.ts';
import { BATCH, TINY_INPUTS, tinyData, tinyRecipe, tinyTask, weightBits } from './tiny-task.fixture.ts';

const engine = await openEngine({ log: () => undefined });
const ways = engine.compileTrainingStep ? [false, true] : [false];

describe.each(ways)('what looks ahead (compiled: %s)', (compiled) => {
  const newTask = () => tinyTask(compiled ? { inputs: TINY_INPUTS } : {});

  it('makes real updates and leaves the weights as they were', async () => {
    const task = newTask();
    const before = await weightBits(task.model);
    const tensors = tf.memory().numTensors;
    const { batch, results, secondsPerUpdate, seconds } = await rehearse(
      task,
      tinyData(),
      tinyRecipe(),
      engine,
    );
    expect(batch).toMatchObject({ id: 'e0b0' });
    expect(results).toHaveLength(3);
    expect(new Set(results.map(({ loss }) => loss)).size).toBe(3);
    expect(secondsPerUpdate).toBeGreaterThan(0);
    expect(seconds).toBeCloseTo(15 * secondsPerUpdate, 6);
    expect(await weightBits(task.model)).toEqual(before);
    if (!compiled) expect(tf.memory().numTensors).toBe(tensors);
  });

  it('finds a learning rate: the loss falls there, and runs away above', async () => {
    const task = newTask();
    const before = await weightBits(task.model);
    const done: number[] = [];
    const options = { from: 1e-5, to: 1e4, updates: 120, onUpdate: (n: number) => void done.push(n) };
    const sweep = await findLearningRate(task, tinyData(), tinyRecipe(), engine, options);
    const { points, steepest, minimumOverTen, diverged } = sweep;
    expect(done).toEqual(points.map((_, i) => i + 1));
    points.forEach(({ lr }, i) => {
      expect(lr / (1e-5 * 1e9 ** (i / 119))).toBeCloseTo(1, 9);
    });
    expect(diverged).toBe(true);
    expect(points.length).toBeLessThan(120);
    expect(steepest).toBeGreaterThan(1e-4);
    expect(steepest).toBeLessThan(1);
    const least = points.reduce((a, b) => (a.smoothed <= b.smoothed ? a : b));
    expect(minimumOverTen).toBe(least.lr / 10);
    expect(await weightBits(task.model)).toEqual(before);
  });
});

describe('findLearningRate', () => {
  it('suggests nothing where the loss does not fall', async () => {
    const healthy = tinyTask();
    const task = tinyTask({
      model: healthy.model,
      loss: (batch, mode) => ({ total: tf.add(tf.mul(healthy.loss(batch, mode).total, 0), 1) as tf.Scalar }),
    });
    const sweep = await findLearningRate(task, tinyData(), tinyRecipe(), engine, { updates: 8 });
    expect(sweep).toMatchObject({ steepest: undefined, minimumOverTen: undefined, diverged: false });
  });

  it('ends where the loss is not finite, or when it is told to', async () => {
    const healthy = tinyTask();
    const tensors: typeof healthy.tensors = (batch) => {
      const [x, y] = healthy.tensors(batch);
      return [batch.id === 'e0b3' ? { ...x!, data: x!.data.map(() => Number.NaN) } : x!, y!];
    };
    const task = tinyTask({ model: healthy.model, tensors });
    const sweep = await findLearningRate(task, tinyData(), tinyRecipe(), engine, { updates: 8 });
    expect(sweep).toMatchObject({ diverged: true, points: { length: 3 } });
    const controller = new AbortController();
    const onUpdate = (done: number) => done === 2 && controller.abort();
    const { points } = await findLearningRate(healthy, tinyData(), tinyRecipe(), engine, {
      signal: controller.signal,
      onUpdate,
    });
    expect(points).toHaveLength(2);
  });

  it.each([{ from: 0 }, { from: 1, to: 0.1 }, { updates: 1 }])('refuses %j', async (options) => {
    const sweep = findLearningRate(tinyTask(), tinyData(), tinyRecipe(), engine, options);
    await expect(sweep).rejects.toThrow('are no sweep');
  });
});

describe('overfit', () => {
  it('gives the first batches again and again, and their loss as the metric', async () => {
    const task = tinyTask();
    const data = tinyData();
    const few = await overfit(data, 2);
    expect(data.asked).toEqual(['e0b0', 'e0b1']);
    const ids: string[] = [];
    for await (const { id } of few.batches(7, 1)) ids.push(id);
    expect(ids).toEqual(['e0b1', 'e0b0', 'e0b1', 'e0b0']);
    await weightBits(task.model); // takes its memory
    const tensors = tf.memory().numTensors;
    const { loss } = await judgedByLoss(task, few, tinyRecipe()).evaluate(new AbortController().signal);
    expect(tf.memory().numTensors).toBe(tensors);
    const losses: number[] = [];
    for await (const batch of data.batches(0, 0)) {
      if (losses.length === 2) break;
      const [x, y] = task.tensors(batch);
      losses.push(
        tf.tidy(() => {
          const given = [tf.tensor2d(x!.data, [BATCH, 2]), tf.tensor1d(y!.data, 'int32')];
          return task.loss(given, { training: false }).total.dataSync()[0]!;
        }),
      );
    }
    expect(loss).toBeCloseTo((losses[0]! + losses[1]!) / 2, 6);
  });

  it('is over when a whole pass is near zero', () => {
    const watch = createOverfitWatch(2);
    const losses = [4, 2, 1, 0.01, 0.3, 0.1, 0.1];
    expect(losses.map((loss) => watch.add(loss))).toEqual([false, false, false, false, false, false, true]);
    expect(watch.first).toBe(3);
    expect(watch.last).toBeCloseTo(0.1, 9);
  });
});
