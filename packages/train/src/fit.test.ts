import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openEngine } from '@as-mlp/engine';
import { bytesSource, openWeights } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fit } from './fit.ts';
import { planTraining } from './plan.ts';
import type { Evaluation } from './run-state.ts';
import {
  readLog,
  TINY_INPUTS,
  TinyModel,
  temporaryFolder,
  tinyData,
  tinyRecipe,
  tinyTask,
  weightBits,
} from './tiny-task.fixture.ts';

/** The values of every tensor of a model, in the engine's layout. */
type Values = readonly (readonly number[])[];

const valuesOf = async (model: TinyModel): Promise<Values> => {
  return Promise.all([...model.namedTensors()].map(async ([, { value }]) => [...(await value.data())]));
};

const load = async (model: TinyModel, file: string): Promise<Values> => {
  await model.load((await openWeights(bytesSource(file, readFileSync(file)))).entries);
  return valuesOf(model);
};

const distance = (found: readonly Values[], wanted: readonly Values[]) => {
  const flat = wanted.flat(2);
  const differences = found.flat(2).map((value, i) => Math.abs(value - flat[i]!));
  expect(differences).toHaveLength(flat.length);
  return Math.max(...differences);
};

describe('fit', () => {
  it('learns', async () => {
    const folder = temporaryFolder();
    const task = tinyTask();
    const { loss: before } = await task.evaluate(new AbortController().signal);
    const result = await fit(task, tinyData(), tinyRecipe({ epochs: 20 }), { folder });
    expect(result).toMatchObject({ completed: true, step: 100 });
    expect(result.history).toHaveLength(20);
    expect(result.best!.metrics.loss).toBeLessThan(before! / 2);
  });

  it('waits for who listens to an evaluation, with the evaluated weights in the model', async () => {
    const task = tinyTask();
    const found: (readonly [number | null | undefined, number | undefined])[] = [];
    const recipe = tinyRecipe({ epochs: 2, emaDecay: 0.9 });
    const evaluation = async ({ metrics }: Evaluation) => {
      await setTimeout(20);
      const again = await task.evaluate(new AbortController().signal);
      found.push([metrics.loss, again.loss]);
    };
    await fit(task, tinyData(), recipe, { folder: temporaryFolder() }, { on: { evaluation } });
    expect(found).toHaveLength(2);
    for (const [then, now] of found) expect(now).toBe(then);
  });

  it('applies the planned learning rates and logs every update', async () => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe({ schedule: { warmupEpochs: 1, warmupLr: 0.001 }, clipNorm: 0.1 });
    const task = tinyTask();
    await fit(task, tinyData(), recipe, { folder });
    const steps = readLog(folder, 'step');
    const { learningRate } = planTraining(recipe, 5);
    expect(steps.map(({ lr }) => lr)).toEqual(steps.map((_, update) => learningRate(update)));
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    expect(steps.map(({ epoch }) => epoch)).toEqual([1, 2, 3].flatMap((epoch) => Array(5).fill(epoch)));
    expect(steps[0]).toMatchObject({
      parts: { ce: steps[0]!.loss, half: expect.closeTo((steps[0]!.loss as number) / 2, 6) },
      gradNorm: expect.any(Number),
      imgPerSec: expect.any(Number),
      dataWait: expect.any(Number),
      memory: { rssMiB: expect.any(Number), tensors: expect.any(Number) },
    });
  });

  it('gives every batch of every update random numbers of its own', async () => {
    const inner = tinyTask();
    const draws = async (seed: number) => {
      const seen: number[] = [];
      const loss: typeof inner.loss = (batch, mode) => {
        seen.push(mode.rng!.fork('probe').next());
        return inner.loss(batch, mode);
      };
      const recipe = tinyRecipe({ seed, accumulate: 2 });
      await fit(tinyTask({ model: inner.model, loss }), tinyData(), recipe, { folder: temporaryFolder() });
      return seen;
    };
    const first = await draws(1);
    expect(new Set(first).size).toBe(12);
    expect(await draws(1)).toEqual(first);
    expect(await draws(2)).not.toEqual(first);
  });

  it('logs every so many updates', async () => {
    const folder = temporaryFolder();
    await fit(tinyTask(), tinyData(), tinyRecipe({ logEvery: 4 }), { folder });
    expect(readLog(folder, 'step').map(({ step }) => step)).toEqual([4, 8, 12, 15]);
  });

  it('needs no more tensors after the first update, and none afterwards', async () => {
    const folder = temporaryFolder();
    const task = tinyTask();
    for (const [, parameter] of task.model.namedTensors()) parameter.value; // takes its memory
    const before = tf.memory().numTensors;
    await fit(task, tinyData(), tinyRecipe({ accumulate: 2, clipNorm: 0.1, saveEvery: 2 }), { folder });
    const counts = readLog(folder, 'step').map(({ memory }) => (memory as { tensors: number }).tensors);
    expect(counts).toHaveLength(6);
    expect(new Set(counts).size).toBe(1);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('evaluates and keeps the averages of the weights, and trains on with the weights', async () => {
    const folder = temporaryFolder();
    const decay = 0.8;
    const scores = [1, 2, 0];
    const model = new TinyModel();
    const seen: Values[] = [];
    const task = tinyTask({
      model,
      metric: { name: 'score', better: 'higher' },
      evaluate: async () => {
        seen.push(await valuesOf(model));
        return { score: scores[seen.length - 1]! };
      },
    });
    const wanted: Values[] = [];
    let average = await valuesOf(model);
    const on = {
      progress: ({ step }: { step: number }) => {
        const names = [...model.namedTensors()];
        average = names.map(([, { value }], i) => {
          return [...value.dataSync()].map((w, k) => decay * average[i]![k]! + (1 - decay) * w);
        });
        if (step % 5 === 0) wanted.push(average);
      },
    };
    const before = tf.memory().numTensors;
    const { checkpoint } = await fit(task, tinyData(), tinyRecipe({ emaDecay: decay }), { folder }, { on });
    expect(tf.memory().numTensors).toBe(before);
    expect(distance(seen, wanted)).toBeLessThan(1e-6);

    const last = await weightBits(model);
    expect(await load(model, join(folder, 'best.safetensors'))).toEqual(seen[1]);
    expect(await load(model, join(checkpoint, 'averages.safetensors'))).toEqual(seen[2]);
    await load(model, join(checkpoint, 'model.safetensors'));
    expect(await weightBits(model)).toEqual(last);

    // The averages are looked at and change nothing.
    const plain = tinyTask();
    await fit(plain, tinyData(), tinyRecipe(), { folder: temporaryFolder() });
    expect(await weightBits(plain.model)).toEqual(last);
  });

  it('leaves the weights in the model when an evaluation is stopped', async () => {
    const controller = new AbortController();
    const model = new TinyModel();
    const task = tinyTask({
      model,
      evaluate: async () => {
        controller.abort();
        return { loss: 0 };
      },
    });
    const run = { folder: temporaryFolder() };
    const options = { signal: controller.signal };
    const { checkpoint } = await fit(task, tinyData(), tinyRecipe({ emaDecay: 0.8 }), run, options);
    const left = await weightBits(model);
    await load(model, join(checkpoint, 'model.safetensors'));
    expect(await weightBits(model)).toEqual(left);
  });

  it('evaluates after every so many epochs and after the last', async () => {
    const run = async (evalEvery: number) => {
      const { history } = await fit(tinyTask(), tinyData(), tinyRecipe({ evalEvery }), {
        folder: temporaryFolder(),
      });
      return history.map(({ epoch, step }) => [epoch, step]);
    };
    expect(await run(2)).toEqual([
      [2, 10],
      [3, 15],
    ]);
    expect(await run(0)).toEqual([[3, 15]]);
  });

  it.each([
    ['higher', [0.2, 0.5, 0.5, 0.1], [true, true, false, false], 2],
    ['lower', [0.2, 0.5, 0.1, Number.NaN], [true, false, true, false], 3],
  ] as const)('keeps the weights whose metric is %s', async (better, values, bests, bestEpoch) => {
    const folder = temporaryFolder();
    const saved: (string | undefined)[] = [];
    const remaining = [...values];
    const task = tinyTask({
      metric: { name: 'score', better },
      evaluate: async () => ({ score: remaining.shift()!, other: 1 }),
    });
    const on = {
      evaluation: () => {
        saved.push(/"epoch":"(\d+)"/.exec(readFileSync(join(folder, 'best.safetensors'), 'latin1'))?.[1]);
      },
    };
    const { best, history } = await fit(task, tinyData(), tinyRecipe({ epochs: 4 }), { folder }, { on });
    expect(readLog(folder, 'evaluation').map((record) => record.best)).toEqual(bests);
    expect(best).toEqual(history[bestEpoch - 1]);
    expect(saved.at(-1)).toBe(String(bestEpoch));
    if (better === 'lower') expect(history[3]!.metrics).toEqual({ score: null, other: 1 });
  });

  it('keeps the best weights, so many as the recipe says', async () => {
    const folder = temporaryFolder();
    const scores = [3, 1, 3, 5, 4, Number.NaN];
    const kept: string[] = [];
    const weights = new Map<string, Values>();
    const model = new TinyModel();
    const task = tinyTask({
      model,
      metric: { name: 'score', better: 'higher' },
      evaluate: async () => {
        weights.set(String(5 * (weights.size + 1)), await valuesOf(model));
        return { score: scores[weights.size - 1]! };
      },
    });
    const stepOf = (name: string) => String(Number(/\d+/.exec(name)![0]));
    const on = {
      evaluation: () => void kept.push(readdirSync(join(folder, 'best')).map(stepOf).sort().join()),
    };
    await fit(task, tinyData(), tinyRecipe({ epochs: 6, keepBest: 2 }), { folder }, { on });
    expect(kept).toEqual(['5', '10,5', '15,5', '20,5', '20,25', '20,25']);
    for (const step of ['20', '25']) {
      const file = join(folder, 'best', `step-000000${step}.safetensors`);
      expect(await load(model, file)).toEqual(weights.get(step));
    }
    expect(await load(model, join(folder, 'best.safetensors'))).toEqual(weights.get('20'));
  });

  it('stops before it writes anything where the recipe freezes what is not there', async () => {
    const folder = temporaryFolder();
    const run = fit(tinyTask(), tinyData(), tinyRecipe({ freeze: ['hiden'] }), { folder });
    await expect(run).rejects.toThrow(
      'freeze: no parameter is called "hiden" or lies below it. Did you mean "hidden".',
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([false, true])(
    'leaves frozen modules as they are, running statistics too (compiled: %s)',
    async (compiled) => {
      const task = tinyTask(compiled ? { inputs: TINY_INPUTS } : {});
      const before = await weightBits(task.model);
      const engine = await openEngine({ log: () => undefined });
      await fit(task, tinyData(), tinyRecipe({ freeze: ['hidden', 'norm'], emaDecay: 0.9 }), {
        folder: temporaryFolder(),
        engine,
      });
      const after = await weightBits(task.model);
      const changed = Object.keys(before).filter((name) => String(before[name]) !== String(after[name]));
      expect(changed).toEqual(['head.weight', 'head.bias']);
    },
  );

  it('refuses a task that does not give its main metric', async () => {
    const task = tinyTask({ metric: { name: 'top1', better: 'higher' } });
    await expect(fit(task, tinyData(), tinyRecipe(), { folder: temporaryFolder() })).rejects.toThrow(
      'evaluate gave no "top1", the metric that decides (it gave loss)',
    );
  });

  it('tells how far it is', async () => {
    const steps: number[] = [];
    let eta: number | undefined;
    const on = {
      progress: (progress: { step: number; totalSteps: number; etaSeconds: number | undefined }) => {
        steps.push(progress.step / progress.totalSteps);
        eta = progress.etaSeconds;
      },
    };
    await fit(tinyTask(), tinyData(), tinyRecipe({ evalEvery: 0 }), { folder: temporaryFolder() }, { on });
    expect(steps).toEqual(Array.from({ length: 15 }, (_, i) => (i + 1) / 15));
    expect(eta).toBe(0);
  });

  it('stops at a loss that is not finite, names update and batch, and keeps the last checkpoint', async () => {
    const folder = temporaryFolder();
    const healthy = tinyTask();
    const task = tinyTask({
      model: healthy.model,
      tensors: (batch) => {
        const [x, y] = healthy.tensors(batch);
        return batch.id === 'e1b2' ? [{ ...x!, data: x!.data.map(() => Number.NaN) }, y!] : [x!, y!];
      },
    });
    await expect(fit(task, tinyData(), tinyRecipe(), { folder })).rejects.toThrow(
      'update 8 (epoch 2, batch 3 of 5: e1b2): the loss is NaN (ce ',
    );
    expect(existsSync(join(folder, 'checkpoints', 'step-00000005', 'state.json'))).toBe(true);
    expect(readLog(folder, 'step').at(-1)).toMatchObject({ step: 7 });
  });

  it('names all batches of an accumulated update', async () => {
    const healthy = tinyTask();
    const task = tinyTask({
      model: healthy.model,
      loss: (batch, mode) => ({ total: tf.mul(healthy.loss(batch, mode).total, Number.NaN) }),
    });
    await expect(
      fit(task, tinyData(), tinyRecipe({ accumulate: 2 }), { folder: temporaryFolder() }),
    ).rejects.toThrow('update 1 (epoch 1, batches 1 to 2 of 5: e0b0, e0b1): the loss is NaN; the weights');
  });

  it('refuses data that end too early', async () => {
    const data = tinyData({
      batches: async function* (epoch, start) {
        for await (const batch of tinyData().batches(epoch, start)) if (batch.id !== 'e1b4') yield batch;
      },
    });
    await expect(fit(tinyTask(), data, tinyRecipe(), { folder: temporaryFolder() })).rejects.toThrow(
      'epoch 2: the data ended after 4 of 5 batches',
    );
  });

  it('asks for the next batch before it trains on the last, and for none in vain', async () => {
    const order: string[] = [];
    const data = tinyData({
      batches: async function* (epoch, start) {
        for await (const batch of tinyData().batches(epoch, start)) {
          order.push(`make ${batch.id}`);
          yield batch;
        }
      },
    });
    const inner = tinyTask();
    const task = tinyTask({
      model: inner.model,
      tensors: (batch) => {
        order.push(`train ${batch.id}`);
        return inner.tensors(batch);
      },
    });
    await fit(task, data, tinyRecipe({ epochs: 1 }), { folder: temporaryFolder() });
    const ids = [0, 1, 2, 3, 4].map((i) => `e0b${i}`);
    expect(order.slice(0, 3)).toEqual(['make e0b0', 'make e0b1', 'train e0b0']);
    expect(order.filter((line) => line.startsWith('make'))).toEqual(ids.map((id) => `make ${id}`));
    expect(order.filter((line) => line.startsWith('train'))).toEqual(ids.map((id) => `train ${id}`));
  });

  it('never touches a folder that holds something', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    await expect(fit(tinyTask(), tinyData(), tinyRecipe(), { folder })).rejects.toThrow(
      /not empty.*--resume/,
    );
    await expect(fit(tinyTask(), tinyData(), tinyRecipe(), { folder, resume: true })).rejects.toThrow(
      /holds no run/,
    );
    expect(readFileSync(join(folder, 'thesis.txt'), 'utf8')).toBe('years of work');
    expect(existsSync(join(folder, 'recipe.json'))).toBe(false);
  });

  it('says what is wrong with a folder that cannot be made', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(
      fit(tinyTask(), tinyData(), tinyRecipe(), { folder: join(folder, 'file', 'run') }),
    ).rejects.toThrow(/a part of this path is a file/);
  });
});
