import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRng } from '@as-mlp/base';
import { Linear } from '@as-mlp/nn';
import { loopRecipe, parseRecipe, type Task } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { pressInterrupt, runVerbs, scratchFolder } from './terminal.fixture.ts';
import { type TrainFlags, trainVerb } from './train.ts';

let folder = '';
/** The settings of each run that was prepared. */
let prepared: Record<string, unknown>[] = [];

beforeEach(() => {
  folder = join(scratchFolder(), 'run');
  prepared = [];
});

/** One weight that shall become 0, two batches an epoch; the score is how near it is. */
function verbs(onBatch: () => void = () => undefined) {
  const createTask = (onEvaluation: (done: number, total: number) => void): Task<number> => {
    const model = new Linear({ inFeatures: 1, outFeatures: 1 });
    model.initialize(createRng(1));
    return {
      name: 'probe',
      model,
      batchesPerEpoch: 2,
      decayRule: 'classification',
      metric: { name: 'score', better: 'higher' },
      async *batches(_, start) {
        for (let i = start; i < 2; i++) yield i;
      },
      tensors: () => {
        onBatch();
        return [];
      },
      loss: () => {
        return { total: tf.sum(tf.square(model.forward(tf.ones([1, 1])))) as tf.Scalar };
      },
      async evaluate() {
        onEvaluation(1, 1);
        return { score: 0.5 };
      },
      metadata: () => ({ task: 'probe' }),
    };
  };
  return [
    trainVerb<number, TrainFlags>({
      preset: async ({ data }) => ({
        epochs: 3,
        lr: data === 'slow' ? 0.001 : 0.1,
        batchSize: 1,
        schedule: { warmupEpochs: 0 },
      }),
      async prepare(settings, _, onEvaluation) {
        prepared.push(settings);
        return { task: createTask(onEvaluation), recipe: parseRecipe(loopRecipe, settings) };
      },
    }),
  ];
}

const train = (...args: string[]) => trainWith(verbs(), ...args);
const trainWith = (list: ReturnType<typeof verbs>, ...args: string[]) =>
  runVerbs(list, 'train', '--data', 'd', '--out', folder, '--engine', 'cpu', ...args);

describe('train', () => {
  it('trains, says how it goes and where the weights are', async () => {
    const { code, out, log, progress } = await train('--epochs', '2');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'score 0.5000 (epoch 1)',
      `weights: ${join(folder, 'best.safetensors')}`,
      `report: ${join(folder, 'report.html')}`,
      '',
    ]);
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('finished');
    expect(log.slice(1)).toEqual([
      `training 2 parameters, 2 epochs of 2 batches of 1; run folder: ${folder}`,
      'epoch 1: score 0.5000 (best so far)',
      'epoch 2: score 0.5000',
    ]);
    expect(progress[0]).toMatch(
      /^train 1\/4 updates, epoch 1\/2, loss \d+\.\d{4}, \d+ img\/s, waits \d+ %, \d+ MiB$/,
    );
    expect(progress).toContain('train 2/4 updates, evaluation 1/1');
    expect(progress.at(-1)).toBe('train stopped');
    expect(existsSync(join(folder, 'best.safetensors'))).toBe(true);
  });

  it('takes settings from the preset, then the flags, then --set', async () => {
    await train('--lr', '0.2', '--epochs', '1', '--set', 'epochs=2', '--set', 'schedule.lag=false');
    expect(prepared).toEqual([
      { epochs: 2, lr: 0.2, batchSize: 1, schedule: { warmupEpochs: 0, lag: false } },
    ]);
    await runVerbs(verbs(), 'train', '--data', 'slow', '--out', `${folder}-slow`, '--model', 'x');
    expect(prepared[1]).toMatchObject({ lr: 0.001, epochs: 3, model: 'x' });
  });

  it('stops with a checkpoint when interrupted, and goes on with the recipe of the run', async () => {
    let batches = 0;
    const stopping = verbs(() => {
      if (++batches === 3) pressInterrupt();
    });
    const stopped = await trainWith(stopping, '--lr', '0.3');
    expect({ code: stopped.code, out: stopped.out }).toEqual({ code: 130, out: '' });
    expect(stopped.log.at(-1)).toBe('stopped after update 3; go on with the same command and --resume');

    const again = await train('--lr', '0.3');
    expect(again.code).toBe(2);
    expect(again.log.at(-1)).toContain(`${folder}: this folder is not empty`);

    const resumed = await train('--resume');
    expect(resumed.code).toBe(0);
    expect(prepared.at(-1)).toMatchObject({ lr: 0.3, epochs: 3, accumulate: 1 });
    expect(resumed.progress[0]).toMatch(/^train 4\/6 updates, epoch 2\/3/);
  });

  it('names a recipe that cannot be read, and settings that are wrong', async () => {
    await train('--epochs', '1');
    const saved = join(folder, 'recipe.json');
    writeFileSync(saved, readFileSync(saved, 'utf8').slice(0, 10));
    const broken = await train('--resume');
    expect(broken).toMatchObject({ code: 1, out: '' });
    expect(broken.log).toEqual([`error: ${saved}: cannot be read as JSON. Restore the file.`]);
    expect(await train('--set', 'epochs')).toMatchObject({
      code: 2,
      log: ['error: --set epochs: this is no setting. Write path=value.'],
    });
    expect((await train('--epochs', '0')).code).toBe(2);
  });
});
