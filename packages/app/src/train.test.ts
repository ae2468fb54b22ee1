import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRng } from '@as-mlp/base';
import { createImage, readImageSize } from '@as-mlp/data';
import { Linear } from '@as-mlp/nn';
import { loopRecipe, parseRecipe, type Task, type TrainingData } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { lrFindVerb } from './lr-find.ts';
import { pressInterrupt, runVerbs, scratchFolder } from './terminal.fixture.ts';
import { type TrainFlags, type TrainTask, trainVerb } from './train.ts';

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
    model.bias!.assign(Float32Array.of(1));
    return {
      name: 'probe',
      model,
      decayRule: 'classification',
      metric: { name: 'score', better: 'higher' },
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
  const data: TrainingData<number> = {
    batchesPerEpoch: 2,
    async *batches(_, start) {
      for (let i = start; i < 2; i++) yield i;
    },
    summary: () => ({ training: 2, validation: 1234, classes: ['left', 'right'] }),
    preview: (batch) => [
      { image: createImage({ height: 8, width: 8 }), caption: `batch ${batch}` },
      {
        image: createImage({ height: 8, width: 8 }),
        caption: 'with a box',
        objects: [{ label: 'left', index: 0, box: [1, 1, 6, 6] }],
      },
    ],
  };
  const task: TrainTask<number, TrainFlags> = {
    preset: async ({ data }) => ({
      epochs: 3,
      lr: data === 'slow' ? 0.001 : 0.1,
      batchSize: 1,
      schedule: { warmupEpochs: 0 },
    }),
    async prepare({ plain, ...settings }, _, onEvaluation) {
      prepared.push(plain === undefined ? settings : { ...settings, plain });
      return { task: createTask(onEvaluation), data, recipe: parseRecipe(loopRecipe, settings) };
    },
    plain: (settings) => ({ ...settings, plain: true }),
  };
  return [trainVerb(task), lrFindVerb(task)];
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

  it('says in the report how a run failed', async () => {
    let batches = 0;
    const failing = verbs(() => {
      if (++batches === 4) throw new Error('the lights went out');
    });
    const failed = await trainWith(failing);
    expect(failed.code).toBe(1);
    const report = readFileSync(join(folder, 'report.html'), 'utf8');
    expect(report).toContain('failed after update 3: Error: the lights went out');
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

  it('says what is frozen', async () => {
    const { log } = await train('--epochs', '1', '--set', 'freeze=["bias"]');
    expect(log[1]).toMatch(/^training 2 parameters, frozen: bias: 1 tensors, 1 epochs/);
    const wrong = await train('--epochs', '1', '--set', 'freeze=["wieght"]');
    expect(wrong.code).toBe(2);
    expect(wrong.log.at(-1)).toContain('Did you mean "weight"');
  });

  it('takes bf16 where there is such a thing', async () => {
    const { code, log } = await train('--precision', 'bf16');
    expect(code).toBe(2);
    expect(log.join(' ')).toContain('the cpu engine is asked for, and bf16 needs the native engine');
  });
});

describe('train --dry-run', () => {
  it('shows what a training would be, and leaves the folder to it', async () => {
    const { code, out } = await train('--dry-run', '--epochs', '2');
    expect(code).toBe(0);
    expect(out).toContain('"epochs": 2,');
    expect(out).toContain(
      'data: 2 training images in 2 batches an epoch, 1,234 validation images, 2 classes (left, right)',
    );
    expect(out).toMatch(/learning rate: [▁-█]{4}\n/u);
    expect(out).toMatch(/losses of the first updates: (\d+\.\d{4}, ){2}\d+\.\d{4}\n/);
    expect(out).toMatch(/4 updates of \d+\.\d\d s: 0 s, and 2 evaluations\n/);
    expect(readdirSync(folder)).toEqual(['dry-run']);
    expect(readdirSync(join(folder, 'dry-run')).sort()).toEqual(['batch.png', 'lr.svg']);
    expect((await readImageSize(join(folder, 'dry-run', 'batch.png'))).width).toBeGreaterThan(480);
    expect((await train('--epochs', '1')).code).toBe(0);
  });
});

describe('train --overfit', () => {
  it('ends when the images are learnt by heart', async () => {
    const { code, out } = await train('--overfit', '2', '--epochs', '500', '--lr', '0.1');
    expect(prepared[0]).toMatchObject({ plain: true, batchSize: 1, accumulate: 1, weightDecay: 0 });
    expect(out).toMatch(/^learnt by heart: loss \d+\.\d{4} at first, 0\.\d{4} after \d+ updates\n$/);
    expect(code).toBe(0);
  });

  it('fails when they are not, and cannot be resumed', async () => {
    const { code, log } = await train('--overfit', '2', '--epochs', '1', '--lr', '1e-9');
    expect(code).toBe(1);
    expect(log.at(-1)).toContain('error: --overfit: the images were not learnt by heart: loss ');
    expect((await train('--overfit', '2', '--resume')).code).toBe(2);
  });
});

describe('lr-find', () => {
  it('suggests a rate and keeps the curve', async () => {
    const options = ['--from', '1e-4', '--to', '100', '--updates', '30'];
    const { code, out, progress } = await runVerbs(
      verbs(),
      'lr-find',
      '--data',
      'd',
      '--out',
      folder,
      ...options,
    );
    expect(code).toBe(0);
    // One image an update, and --lr is meant for 512.
    expect(out).toMatch(
      /^steepest descent: --lr [\d.e+-]+ \(applied as [\d.e+-]+\)\na tenth of the minimum: --lr .*\nthe loss ran away after \d+ updates at .*\ncurve: .*lr-find\.svg\n$/,
    );
    const [lr, applied] = out.match(/[\d.]+e[+-]\d+/g)!.map(Number);
    expect(lr! / applied!).toBeCloseTo(512, -2);
    expect(progress).toContain('lr-find 1/30 updates');
    expect(readFileSync(join(folder, 'lr-find.csv'), 'utf8')).toMatch(/^lr,loss,smoothed\n0\.0001,/);
    expect(readdirSync(folder).sort()).toEqual(['lr-find.csv', 'lr-find.svg']);
    expect((await train('--epochs', '1')).code).toBe(0);
  });
});
