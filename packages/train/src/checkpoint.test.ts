import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CheckpointContent } from './checkpoint.ts';
import { temporaryFolder } from './tiny-task.fixture.ts';

/** A disk that fails at call number `failAt`: once when it is full, for good when the process is killed. */
const disk = vi.hoisted(() => ({
  calls: 0,
  failAt: Number.POSITIVE_INFINITY,
  mode: 'killed' as 'killed' | 'full',
}));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const fails = (writes: boolean) => {
    disk.calls++;
    return disk.mode === 'killed' ? disk.calls >= disk.failAt : writes && disk.calls === disk.failAt;
  };
  const failure = () =>
    disk.mode === 'killed' ? new Error('killed') : Object.assign(new Error('write'), { code: 'ENOSPC' });
  const guarded =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>, writes: boolean) =>
    async (...args: A): Promise<R> => {
      if (fails(writes)) throw failure();
      return call(...args);
    };
  const open = async (...args: Parameters<typeof real.open>) => {
    if (fails(args[1] !== 'r')) throw failure();
    const handle = await real.open(...args);
    const write = handle.writeFile.bind(handle);
    handle.writeFile = async (content) => {
      if (!fails(true)) return write(content);
      // The disk fills up, or the process dies, in the middle of the file.
      await write((content as Uint8Array | string).slice(0, 20));
      throw failure();
    };
    handle.sync = guarded(handle.sync.bind(handle), true);
    return handle;
  };
  return {
    ...real,
    open,
    mkdir: guarded(real.mkdir as (path: string, options: object) => Promise<string | undefined>, true),
    rename: guarded(real.rename as (from: string, to: string) => Promise<void>, true),
    rm: guarded(real.rm as (path: string, options: object) => Promise<void>, false),
  };
});

// The engine, which writes the files, was loaded before the disk was replaced.
vi.resetModules();
const { lastCheckpoint, saveCheckpoint, updateState } = await import('./checkpoint.ts');

/** A checkpoint in which every number is its step. */
function content(step: number): CheckpointContent {
  const data = new Float32Array(8).fill(step);
  return {
    state: {
      format: 1,
      task: 'tiny',
      step,
      epoch: 0,
      batch: step,
      batchesPerEpoch: 9,
      rng: { key: [1, 2], position: 0 },
      history: [],
      best: null,
      metadata: { model: 'tiny' },
      recipe: {},
      environment: {},
    },
    weights: [{ name: 'a.weight', shape: [2, 4], data }],
    averages: [{ name: 'a.weight', shape: [2, 4], data: data.map((value) => value / 2) }],
    optimizer: {
      step,
      moments: ['exp_avg', 'exp_avg_sq'].map((name) => ({ name: `a.weight.${name}`, shape: [4, 2], data })),
    },
  };
}

async function expectWhole(root: string, step: number): Promise<void> {
  const saved = (await lastCheckpoint(root))!;
  expect(saved.state.step).toBe(step);
  const expected = content(step);
  const weights = await saved.withWeights((entries) => entries.get('a.weight')!.read());
  expect([...weights]).toEqual([...expected.weights[0]!.data]);
  expect(await saved.readOptimizer()).toEqual(expected.optimizer);
  expect(saved.hasAverages).toBe(true);
  expect(await saved.readAverages()).toEqual(expected.averages);
}

function afterReboot(): void {
  Object.assign(disk, { calls: 0, failAt: Number.POSITIVE_INFINITY });
}

beforeEach(afterReboot);

describe('saveCheckpoint', () => {
  it('is read back whole and keeps only the newest', async () => {
    const root = join(temporaryFolder(), 'checkpoints');
    expect(await lastCheckpoint(root)).toBeUndefined();
    await saveCheckpoint(root, content(9));
    expect(await saveCheckpoint(root, content(10))).toBe(join(root, 'step-00000010'));
    await expectWhole(root, 10);
    expect(readdirSync(root)).toEqual(['step-00000010']);
    expect(readdirSync(join(root, 'step-00000010')).sort()).toEqual([
      'averages.safetensors',
      'model.safetensors',
      'optimizer.safetensors',
      'state.json',
    ]);
  });

  it('has no averages where a run keeps none', async () => {
    const root = temporaryFolder();
    const folder = await saveCheckpoint(root, { ...content(1), averages: undefined });
    expect(readdirSync(folder)).not.toContain('averages.safetensors');
    expect((await lastCheckpoint(root))!.hasAverages).toBe(false);
  });

  it('takes the newest by number, not by name', async () => {
    const root = temporaryFolder();
    await saveCheckpoint(root, content(99_999_999));
    await saveCheckpoint(root, content(100_000_000));
    await expectWhole(root, 100_000_000);
  });

  it('leaves a whole checkpoint wherever the process is killed', async () => {
    let survived = 0;
    for (let failAt = 1; survived === 0; failAt++) {
      const root = temporaryFolder();
      await saveCheckpoint(root, content(1));
      Object.assign(disk, { calls: 0, failAt, mode: 'killed' });
      const died = await saveCheckpoint(root, content(2)).then(
        () => disk.calls >= failAt,
        () => true,
      );
      const renamed = readdirSync(root).includes('step-00000002');
      afterReboot();
      await expectWhole(root, renamed ? 2 : 1);
      // What the crash left does not hinder the next one, and goes away.
      await saveCheckpoint(root, content(3));
      await expectWhole(root, 3);
      expect(readdirSync(root)).toEqual(['step-00000003']);
      if (!died) survived = failAt;
    }
    // Four files, each opened, written, brought to disk and renamed, are sixteen chances to die.
    expect(survived).toBeGreaterThan(16);
  });

  it('says so and cleans up when the disk is full', async () => {
    let failures = 0;
    for (let failAt = 1; ; failAt++) {
      const root = temporaryFolder();
      await saveCheckpoint(root, content(1));
      Object.assign(disk, { calls: 0, failAt, mode: 'full' });
      const error = await saveCheckpoint(root, content(2)).then(
        () => undefined,
        (reason: Error) => reason,
      );
      const calls = disk.calls;
      afterReboot();
      if (error) {
        failures++;
        expect(error.message).toContain('the disk is full. Free some space');
        expect(readdirSync(root)).toEqual(['step-00000001']);
        await expectWhole(root, 1);
      } else {
        await expectWhole(root, 2);
      }
      if (calls < failAt) break;
    }
    expect(failures).toBeGreaterThan(16);
  });

  it('leaves the old state when a new one cannot be written', async () => {
    const folder = await saveCheckpoint(temporaryFolder(), content(1));
    const before = readFileSync(join(folder, 'state.json'), 'utf8');
    Object.assign(disk, { calls: 0, failAt: 2, mode: 'full' });
    await expect(updateState(folder, { ...content(1).state, epoch: 7 })).rejects.toThrow(/disk is full/);
    expect(readFileSync(join(folder, 'state.json'), 'utf8')).toBe(before);
    afterReboot();
    await updateState(folder, { ...content(1).state, epoch: 7 });
    expect(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')).epoch).toBe(7);
  });
});
