import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { temporaryFolder, tinyData, tinyRecipe, tinyTask, weightBits } from './tiny-task.fixture.ts';

/** A disk that is full at write number `failAt`, counted from 1, and has room again afterwards. */
const disk = vi.hoisted(() => ({ writes: 0, failAt: Number.POSITIVE_INFINITY }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const isFull = () => ++disk.writes === disk.failAt;
  const failure = () => Object.assign(new Error('write'), { code: 'ENOSPC' });
  type Content = Uint8Array | string;
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      const handle = await real.open(...args);
      const write = handle.writeFile.bind(handle);
      handle.writeFile = async (content) => {
        if (!isFull()) return write(content);
        await write((content as Content).slice(0, 20));
        throw failure();
      };
      return handle;
    },
    appendFile: async (path: string, content: string) => {
      if (!isFull()) return real.appendFile(path, content);
      await real.appendFile(path, content.slice(0, 20));
      throw failure();
    },
  };
});

// The engine, which writes the files, was loaded before the disk was replaced.
vi.resetModules();
const { fit } = await import('./fit.ts');

describe('a run on a disk that is full', () => {
  it('stops with its last checkpoint whole at every write, and goes on to the same bits', async () => {
    const recipe = tinyRecipe({ epochs: 2, saveEvery: 2, keepBest: 2, emaDecay: 0.9 });
    const whole = tinyTask();
    disk.writes = 0;
    await fit(whole, tinyData(), recipe, { folder: temporaryFolder() });
    const [total, expected] = [disk.writes, await weightBits(whole.model)];
    // Recipe, 12 log lines, 6 checkpoints of four files, two evaluations of two weight files and a state.
    expect(total).toBeGreaterThan(40);
    for (let failAt = 1; failAt <= total; failAt += 1 + (failAt % 3)) {
      const folder = temporaryFolder();
      Object.assign(disk, { writes: 0, failAt });
      const run = fit(tinyTask(), tinyData(), recipe, { folder });
      await expect(run, `write ${failAt}`).rejects.toThrow('the disk is full. Free some space');
      disk.failAt = Number.POSITIVE_INFINITY;
      expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
      expect(existsSync(`${folder}/failure`)).toBe(false);
      const task = tinyTask();
      const result = await fit(task, tinyData(), recipe, { folder, resume: true });
      expect(result.completed).toBe(true);
      expect(await weightBits(task.model), `write ${failAt}`).toEqual(expected);
    }
  }, 120_000);
});
