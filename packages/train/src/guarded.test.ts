import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEngine } from '@as-mlp/engine';
import { bytesSource, openWeights } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fit } from './fit.ts';
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

const engine = await openEngine({ log: () => undefined });

/** The tiny task, whose third batch of epoch 2 is not as it should be. */
function brokenTask(broken: (value: number) => number, compiled: boolean) {
  const healthy = tinyTask();
  return tinyTask({
    model: healthy.model,
    tensors: (batch) => {
      const [x, y] = healthy.tensors(batch);
      return batch.id === 'e1b2' ? [{ ...x!, data: x!.data.map(broken) }, y!] : [x!, y!];
    },
    ...(compiled ? { inputs: TINY_INPUTS } : {}),
  });
}

const failureOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'failure', 'failure.json'), 'utf8'));
const compiled = engine.compileTrainingStep ? [false, true] : [false];

describe('a run that cannot go on', () => {
  it.each(compiled)('keeps batch, layer and gradients (compiled: %s)', async (isCompiled) => {
    const folder = temporaryFolder();
    const task = brokenTask(() => Number.POSITIVE_INFINITY, isCompiled);
    const run = fit(task, tinyData(), tinyRecipe(), { folder, engine });
    await expect(run).rejects.toThrow(
      /update 8 \(epoch 2, batch 3 of 5: e1b2\): the loss is NaN \(ce NaN, half NaN\); the weights were left as they were; what goes into the model is where numbers first were not finite \(8 of 8\)\. .*failure\./,
    );
    expect(failureOf(folder)).toMatchObject({
      step: 7,
      epoch: 2,
      batches: 'batch 3 of 5: e1b2',
      loss: 'NaN',
      parts: { ce: 'NaN', half: 'NaN' },
      weights: 'before',
      anomaly: { layer: '', place: 'input', faults: 8, size: 8 },
      gradientNorms: { 'hidden.weight': 'NaN' },
    });
    const bytes = readFileSync(join(folder, 'failure', 'batch.safetensors'));
    const { entries } = await openWeights(bytesSource('batch', bytes));
    expect([...entries].map(([name, { shape, dtype }]) => [name, shape, dtype])).toEqual([
      ['0.0', [4, 2], 'float32'],
      ['0.1', [4], 'int32'],
    ]);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
    // The last checkpoint stays, and the run goes on from it once the data are mended.
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-00000005']);
    const mended = brokenTask((value) => value, isCompiled);
    await fit(mended, tinyData(), tinyRecipe(), { folder, engine, resume: true });
    const whole = brokenTask((value) => value, isCompiled);
    await fit(whole, tinyData(), tinyRecipe(), { folder: temporaryFolder(), engine });
    expect(await weightBits(mended.model)).toEqual(await weightBits(whole.model));
  });

  it.each(compiled)(
    'finds the gradients of the weights that the update started from (compiled: %s)',
    async (isCompiled) => {
      // Large inputs, a finite loss, and a gradient whose square is not.
      const folder = temporaryFolder();
      const healthy = tinyTask();
      const task = tinyTask({
        model: healthy.model,
        loss: (batch, mode) => ({ total: tf.mul(healthy.loss(batch, mode).total, 1e25) }),
        ...(isCompiled ? { inputs: TINY_INPUTS } : {}),
      });
      const parameters = async () =>
        [...healthy.model.namedParameters()].map(([, { value }]) => [...value.dataSync()]);
      const before = await parameters();
      await expect(fit(task, tinyData(), tinyRecipe(), { folder, engine })).rejects.toThrow(
        'the gradient norm is Infinity',
      );
      expect(await parameters()).toEqual(before);
      const { gradientNorms, gradNorm, anomaly } = failureOf(folder);
      expect(gradNorm).toBe('Infinity');
      expect(anomaly).toBeUndefined();
      expect(Object.keys(gradientNorms)).toHaveLength(6);
      // A norm is the root of a sum of squares, which float32 cannot hold here.
      expect(gradientNorms['head.weight']).toBe('Infinity');
    },
  );

  it.each(compiled)('stops when the loss explodes (compiled: %s)', async (isCompiled) => {
    const folder = temporaryFolder();
    const healthy = tinyTask();
    const task = tinyTask({
      model: healthy.model,
      tensors: (batch) => {
        const [x, y] = healthy.tensors(batch);
        const scale = /^e0b(2\d|3\d)$/.test(batch.id) ? 100 : 1;
        return [{ ...x!, data: x!.data.map((value) => scale * value) }, y!];
      },
      loss: (tensors, mode) => {
        const { total } = healthy.loss(tensors, mode);
        return { total: tf.add(total, tf.mean(tf.square(tensors[0]!))) as tf.Scalar };
      },
      ...(isCompiled ? { inputs: TINY_INPUTS } : {}),
    });
    const data = tinyData({ batchesPerEpoch: 40 });
    const recipe = tinyRecipe({ saveEvery: 5, lossGuard: { updates: 2 } });
    await expect(fit(task, data, recipe, { folder, engine })).rejects.toThrow(
      /update 22 \(epoch 1, batch 22 of 40: e0b21\): the loss explodes: it is .* for 2 updates in a row above 10 times/,
    );
    expect(failureOf(folder)).toMatchObject({ step: 21, weights: 'after', loss: expect.any(Number) });
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-00000020']);
    await expect(
      fit(task, data, { ...recipe, epochs: 1, lossGuard: null }, { folder: temporaryFolder(), engine }),
    ).resolves.toMatchObject({ completed: true });
  });

  it('replaces what an earlier failure left, and says so where nothing can be written', async () => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe();
    await expect(
      fit(
        brokenTask(() => Number.NaN, false),
        tinyData(),
        recipe,
        { folder },
      ),
    ).rejects.toThrow('loss is NaN');
    writeFileSync(join(folder, 'failure', 'notes'), '');
    const again = () =>
      fit(
        brokenTask(() => Number.NaN, false),
        tinyData(),
        recipe,
        { folder, resume: true },
      );
    await expect(again()).rejects.toThrow('loss is NaN');
    expect(readdirSync(join(folder, 'failure')).sort()).toEqual(['batch.safetensors', 'failure.json']);
    // Where its temporary folder would be lies a file that cannot be removed as one.
    mkdirSync(join(folder, `.failure.${process.pid}.tmp`));
    await expect(again()).rejects.toThrow('loss is NaN');
    expect(existsSync(join(folder, `.failure.${process.pid}.tmp`))).toBe(false);
  });
});

describe('detectAnomaly', () => {
  it('stops at a layer even where the loss is finite, and trains to the same bits where all is well', async () => {
    const run = async (detectAnomaly: boolean) => {
      const task = tinyTask({ inputs: TINY_INPUTS });
      await fit(task, tinyData(), tinyRecipe(), { folder: temporaryFolder(), detectAnomaly });
      return weightBits(task.model);
    };
    expect(await run(true)).toEqual(await run(false));

    const folder = temporaryFolder();
    const model = new TinyModel();
    const healthy = tinyTask({ model });
    const task = tinyTask({
      model,
      loss: ([x], mode) => {
        const hidden = model.hidden.forward(tf.div(x!, 0));
        const { total } = healthy.loss([x!, tf.tensor1d([0, 1, 2, 0], 'int32')], mode);
        return { total: tf.add(total, tf.sum(tf.zerosLike(hidden))) as tf.Scalar };
      },
    });
    const before = await weightBits(task.model);
    const tensors = tf.memory().numTensors;
    await expect(
      fit(task, tinyData(), tinyRecipe(), { folder, engine, detectAnomaly: true }),
    ).rejects.toThrow(
      /update 1 \(epoch 1, batch 1 of 5: e0b0\): what goes into layer "hidden" is where numbers first were not finite \(8 of 8\); the weights were left as they were\./,
    );
    expect(await weightBits(task.model)).toEqual(before);
    expect(tf.memory().numTensors).toBe(tensors);
    expect(readLog(folder, 'step')).toEqual([]);
    expect(failureOf(folder)).toMatchObject({ step: 0, anomaly: { layer: 'hidden', place: 'input' } });
  });
});
