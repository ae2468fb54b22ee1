import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Engine, openEngine } from '@as-mlp/engine';
import { describe, expect, it } from 'vitest';
import { shownScalars } from './event-file.fixture.ts';
import type { Progress } from './events.ts';
import { fit } from './fit.ts';
import type { LoopRecipe } from './recipe.ts';
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

/** What two equal runs have in common: times and memory differ, resuming leaves a mark. */
function comparableLog(folder: string): unknown[] {
  return readLog(folder)
    .filter(({ type }) => type === 'step' || type === 'evaluation')
    .map(({ time, imgPerSec, dataWait, memory, ...rest }) => rest);
}

/** Runs until update `stop`, as with a person who presses Ctrl+C. */
function interrupted(folder: string, recipe: LoopRecipe, stop: number, task = tinyTask(), engine?: Engine) {
  const controller = new AbortController();
  const progress = ({ step }: Progress) => {
    if (step === stop) controller.abort();
  };
  return fit(task, tinyData(), recipe, { folder, engine }, { signal: controller.signal, on: { progress } });
}

const EVERYTHING = { accumulate: 2, emaDecay: 0.9, freeze: ['hidden'], clipNorm: 0.5, keepBest: 2 };
const engine = await openEngine({ log: () => undefined });

describe('a resumed run', () => {
  it.each<[string, Record<string, unknown>, number, compiled?: boolean]>([
    ['in the first epoch', {}, 2],
    ['at the end of an epoch', {}, 5],
    ['in the middle', {}, 8],
    ['one update before the end', {}, 14],
    ['after the last update, before the evaluation', {}, 15],
    ['between accumulated updates', { accumulate: 2, clipNorm: 0.5 }, 3],
    ['with averages', { emaDecay: 0.9, accumulate: 2 }, 3],
    ['with averages, before an evaluation', { emaDecay: 0.9 }, 10],
    ['with averages, compiled', { emaDecay: 0.9 }, 8, true],
    ['with everything', EVERYTHING, 4],
    ['with everything, compiled', EVERYTHING, 4, true],
  ])('ends with the bits of an uninterrupted one when stopped %s', async (_, changes, stop, compiled) => {
    const recipe = tinyRecipe(changes);
    const newTask = () => tinyTask(compiled ? { inputs: TINY_INPUTS } : {});
    const whole = { folder: temporaryFolder(), task: newTask(), engine };
    const expected = await fit(whole.task, tinyData(), recipe, whole);

    const folder = temporaryFolder();
    const first = await interrupted(folder, recipe, stop, newTask(), engine);
    expect(first).toMatchObject({ completed: false, step: stop });
    // A new process starts from other weights and must not care.
    const task = newTask();
    const actual = await fit(task, tinyData(), recipe, { folder, resume: true, engine });

    expect(await weightBits(task.model)).toEqual(await weightBits(whole.task.model));
    expect(comparableLog(folder)).toEqual(comparableLog(whole.folder));
    expect(actual.history).toEqual(expected.history);
    expect(actual).toMatchObject({ completed: true, step: expected.step, best: expected.best });
    for (const file of [
      'best.safetensors',
      'checkpoints/%/model.safetensors',
      'checkpoints/%/optimizer.safetensors',
      ...(recipe.emaDecay === null ? [] : ['checkpoints/%/averages.safetensors']),
    ]) {
      const path = file.replace('%', expected.checkpoint.split(/[\\/]/).at(-1)!);
      expect(readFileSync(join(folder, path)).equals(readFileSync(join(whole.folder, path))), path).toBe(
        true,
      );
    }
  });

  it('sees the batches that the uninterrupted one sees', async () => {
    const folder = temporaryFolder();
    await interrupted(folder, tinyRecipe(), 7);
    const data = tinyData();
    await fit(tinyTask(), data, tinyRecipe(), { folder, resume: true });
    expect(data.asked).toEqual(['e1b2', 'e1b3', 'e1b4', 'e2b0', 'e2b1', 'e2b2', 'e2b3', 'e2b4']);
  });

  it('forgets what was logged after the checkpoint', async () => {
    const folder = temporaryFolder();
    await interrupted(folder, tinyRecipe(), 7);
    appendFileSync(join(folder, 'log.jsonl'), '{"type":"step","step":8,"loss":9}\n{"type":"step","st');
    await fit(tinyTask(), tinyData(), tinyRecipe(), { folder, resume: true });
    expect(readLog(folder, 'step').map(({ step }) => step)).toEqual(
      Array.from({ length: 15 }, (_, i) => i + 1),
    );
    expect(readLog(folder, 'step')[7]!.loss).not.toBe(9);
  });

  it('has tables and events that say what the log says', async () => {
    const folder = temporaryFolder();
    await interrupted(folder, tinyRecipe(), 7);
    appendFileSync(join(folder, 'log.csv'), 'half a row,8');
    await fit(tinyTask(), tinyData(), tinyRecipe(), { folder, resume: true });
    const losses = readLog(folder, 'step').map(({ step, loss }) => [step, loss]);
    expect(losses).toHaveLength(15);
    const [header, ...rows] = readFileSync(join(folder, 'log.csv'), 'utf8').trimEnd().split('\n');
    expect(header).toBe(
      'time,step,epoch,loss,parts.ce,parts.half,gradNorm,lr,imgPerSec,dataWait,memory.rssMiB,memory.tensors',
    );
    const cells = rows.map((row) => row.split(',').map(Number));
    expect(cells.map(([, step, , loss]) => [step, loss])).toEqual(losses);
    expect(shownScalars(folder, 'train/loss')).toEqual(
      losses.map(([step, loss]) => [step, Math.fround(loss as number)]),
    );

    const evaluations = readLog(folder, 'evaluation').map(({ step }) => step);
    const metrics = readFileSync(join(folder, 'metrics.csv'), 'utf8').trimEnd().split('\n');
    expect(metrics[0]).toBe('time,epoch,step,metrics.loss,best');
    expect(metrics.slice(1).map((row) => Number(row.split(',')[2]))).toEqual(evaluations);
    expect(shownScalars(folder, 'metrics/loss').map(([step]) => step)).toEqual(evaluations);
  });

  it('that was finished does nothing', async () => {
    const folder = temporaryFolder();
    const result = await fit(tinyTask(), tinyData(), tinyRecipe(), { folder });
    const data = tinyData();
    expect(await fit(tinyTask(), data, tinyRecipe(), { folder, resume: true })).toEqual(result);
    expect(data.asked).toEqual([]);
  });

  it('starts anew where there is no run yet, and says so', async () => {
    const folder = join(temporaryFolder(), 'run');
    const notices: string[] = [];
    const notice = (line: string) => {
      notices.push(line);
    };
    const result = await fit(
      tinyTask(),
      tinyData(),
      tinyRecipe({ epochs: 1 }),
      { folder, resume: true },
      { on: { notice } },
    );
    expect(result.completed).toBe(true);
    expect(notices).toEqual([`${folder} holds no run yet: a new one starts`]);
  });

  it('starts from the beginning when it never came to a checkpoint', async () => {
    const folder = temporaryFolder();
    const healthy = tinyTask();
    const model = healthy.model;
    const tensors: typeof healthy.tensors = (batch) => {
      if (batch.id === 'e0b3') throw new Error('the machine burnt down');
      return healthy.tensors(batch);
    };
    await expect(fit(tinyTask({ model, tensors }), tinyData(), tinyRecipe(), { folder })).rejects.toThrow(
      'burnt down',
    );
    expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
    const data = tinyData();
    await fit(tinyTask(), data, tinyRecipe(), { folder, resume: true });
    expect(data.asked).toHaveLength(15);
    expect(readLog(folder, 'step')).toHaveLength(15);
  });

  it('starts where a process was killed while it wrote its first file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.recipe.json.99-abcd.tmp'), '{"epo');
    const result = await fit(tinyTask(), tinyData(), tinyRecipe({ epochs: 1 }), { folder, resume: true });
    expect(result.completed).toBe(true);
  });

  it('ignores the remains of an interrupted write and removes them', async () => {
    const folder = temporaryFolder();
    await interrupted(folder, tinyRecipe(), 7);
    const remains = join(folder, 'checkpoints', '.step-00000012.99.tmp');
    mkdirSync(remains);
    writeFileSync(join(remains, 'model.safetensors'), 'half');
    writeFileSync(join(folder, '.best.safetensors.99-abcd.tmp'), 'half');
    await fit(tinyTask(), tinyData(), tinyRecipe(), { folder, resume: true });
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith('events.'))
        .sort(),
    ).toEqual(['best.safetensors', 'checkpoints', 'log.csv', 'log.jsonl', 'metrics.csv', 'recipe.json']);
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-00000015']);
  });

  it('stops in an evaluation without keeping half of it', async () => {
    const folder = temporaryFolder();
    const controller = new AbortController();
    const task = tinyTask({
      evaluate: async (signal) => {
        controller.abort();
        signal.throwIfAborted();
        return { loss: 0 };
      },
    });
    const result = await fit(task, tinyData(), tinyRecipe(), { folder }, { signal: controller.signal });
    expect(result).toMatchObject({ completed: false, step: 5, history: [] });
    expect(existsSync(join(folder, 'best.safetensors'))).toBe(false);
    const resumed = await fit(tinyTask(), tinyData(), tinyRecipe(), { folder, resume: true });
    expect(resumed.history.map(({ step }) => step)).toEqual([5, 10, 15]);
  });

  it('saves before it stops, even before the first update', async () => {
    const folder = temporaryFolder();
    const result = await fit(
      tinyTask(),
      tinyData(),
      tinyRecipe(),
      { folder },
      { signal: AbortSignal.abort() },
    );
    expect(result).toMatchObject({ completed: false, step: 0 });
    expect(existsSync(join(result.checkpoint, 'model.safetensors'))).toBe(true);
  });
});

/** What is not as it was when the run started. */
interface Changes {
  readonly task?: Parameters<typeof tinyTask>[0];
  readonly data?: Parameters<typeof tinyData>[0];
  readonly recipe?: Record<string, unknown>;
}

describe('resuming', () => {
  it.each<[string, Changes, RegExp]>([
    [
      'another recipe',
      { recipe: { lr: 0.5, schedule: { kind: 'poly' } } },
      /\(lr: 0.02 then, 0.5 now; schedule.kind: "cosine" then, "poly" now/,
    ],
    [
      'averages',
      { recipe: { emaDecay: 0.9 } },
      /emaDecay: null then, 0.9 now; averages: false then, true now/,
    ],
    ['another task', { task: { name: 'other' } }, /task: "tiny" then, "other" now/],
    ['other data', { data: { batchesPerEpoch: 6 } }, /batchesPerEpoch: 5 then, 6 now/],
    [
      'another shift',
      { task: { metadata: () => ({ model: 'tiny', shift_size: '3' }) } },
      /model.shift_size: "5" then, "3" now/,
    ],
  ])('refuses %s and changes nothing', async (_, { task, data, recipe }, message) => {
    const folder = temporaryFolder();
    await interrupted(folder, tinyRecipe(), 7);
    const before = readFileSync(join(folder, 'log.jsonl'), 'utf8');
    const again = fit(tinyTask(task), tinyData(data), tinyRecipe(recipe), { folder, resume: true });
    await expect(again).rejects.toThrow(message);
    expect(readFileSync(join(folder, 'log.jsonl'), 'utf8')).toBe(before);
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-00000007']);
  });

  it('refuses to start over where the checkpoints were deleted', async () => {
    const folder = temporaryFolder();
    await interrupted(folder, tinyRecipe(), 7);
    rmSync(join(folder, 'checkpoints'), { recursive: true });
    const best = readFileSync(join(folder, 'best.safetensors'));
    const again = fit(tinyTask(), tinyData(), tinyRecipe(), { folder, resume: true });
    await expect(again).rejects.toThrow(/checkpoints of this run are gone/);
    expect(readFileSync(join(folder, 'best.safetensors')).equals(best)).toBe(true);
  });

  it('refuses a checkpoint without the averages that the recipe wants', async () => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe({ emaDecay: 0.9 });
    const { checkpoint } = await interrupted(folder, recipe, 7);
    rmSync(join(checkpoint, 'averages.safetensors'));
    const again = fit(tinyTask(), tinyData(), recipe, { folder, resume: true });
    await expect(again).rejects.toThrow(/started differently \(averages: false then, true now\)/);
  });

  it('refuses a model of another shape', async () => {
    const folder = temporaryFolder();
    await interrupted(folder, tinyRecipe(), 7);
    const again = fit(tinyTask({ model: new TinyModel(7) }), tinyData(), tinyRecipe(), {
      folder,
      resume: true,
    });
    await expect(again).rejects.toThrow(/hidden.weight is \[6,2\], the model needs \[7,2\]/);
  });

  it('refuses other frozen parameters', async () => {
    const folder = temporaryFolder();
    await interrupted(folder, tinyRecipe(), 7);
    const model = new TinyModel();
    model.hidden.freeze();
    const again = fit(tinyTask({ model }), tinyData(), tinyRecipe(), { folder, resume: true });
    await expect(again).rejects.toThrow(/optimi[sz]er/);
  });

  it.each([
    ['nonsense', 'this is not JSON'],
    ['{"format": 2}', 'this is not the state of a run (format: '],
  ])('names a damaged state: %s', async (text, message) => {
    const folder = temporaryFolder();
    const { checkpoint } = await interrupted(folder, tinyRecipe(), 7);
    writeFileSync(join(checkpoint, 'state.json'), text);
    await expect(fit(tinyTask(), tinyData(), tinyRecipe(), { folder, resume: true })).rejects.toThrow(
      message,
    );
  });
});
