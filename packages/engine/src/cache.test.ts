import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { cacheRoot, ensureEntry, folderSize, readEntry } from './cache.ts';
import { temporaryFolder } from './fakes.fixture.ts';

const quiet = { log: () => undefined };
const files = [{ path: 'lib.so', size: 5 }];

/** A build that writes `lib.so` and counts its runs. */
function counted() {
  const built = { times: 0 };
  const build = async (folder: string) => {
    built.times++;
    writeFileSync(join(folder, 'lib.so'), 'bytes');
    await sleep(20);
    return { about: { version: '1' }, files };
  };
  return { built, build };
}

describe('cacheRoot', () => {
  it.each([
    [{ ASMLP_CACHE_DIR: '/a', XDG_CACHE_HOME: '/x', HOME: '/h' }, '/a'],
    [{ XDG_CACHE_HOME: '/x', HOME: '/h' }, '/x/as-mlp'],
    [{ XDG_CACHE_HOME: 'relative', HOME: '/h' }, '/h/.cache/as-mlp'],
    [{ HOME: '/h' }, '/h/.cache/as-mlp'],
    [{}, join(homedir(), '.cache', 'as-mlp')],
  ])('%o → %s', (env, expected) => {
    expect(cacheRoot(env)).toBe(expected);
  });
});

describe('ensureEntry', () => {
  it('builds once and is free afterwards', async () => {
    const root = join(temporaryFolder(), 'deep', 'cache');
    const { built, build } = counted();
    const first = await ensureEntry(root, 'e', quiet, build);
    const second = await ensureEntry(root, 'e', quiet, build);
    expect([first.built, second.built, built.times]).toEqual([true, false, 1]);
    expect(second.manifest).toEqual({ format: 1, about: { version: '1' }, files });
    expect(readdirSync(root)).toEqual(['e']);
    expect(await folderSize(join(root, 'e'))).toBe(5 + readFileSync(join(root, 'e', 'complete.json')).length);
  });

  it('lets only one of several build at the same time', async () => {
    const root = temporaryFolder();
    const { built, build } = counted();
    const entries = await Promise.all([1, 2, 3].map(() => ensureEntry(root, 'e', quiet, build)));
    expect(built.times).toBe(1);
    expect(entries.filter((entry) => entry.built)).toHaveLength(1);
  });

  it.each([
    ['a missing marker', (folder: string) => rmSync(join(folder, 'complete.json'))],
    ['a broken marker', (folder: string) => truncateSync(join(folder, 'complete.json'), 30)],
    ['a missing file', (folder: string) => rmSync(join(folder, 'lib.so'))],
    ['a shortened file', (folder: string) => truncateSync(join(folder, 'lib.so'), 4)],
    ['an emptied file', (folder: string) => truncateSync(join(folder, 'lib.so'), 0)],
  ])('heals %s', async (_name, damage) => {
    const root = temporaryFolder();
    const { built, build } = counted();
    const { folder } = await ensureEntry(root, 'e', quiet, build);
    damage(folder);
    expect(await readEntry(folder)).toBeUndefined();
    await ensureEntry(root, 'e', quiet, build);
    expect(built.times).toBe(2);
    expect(await readEntry(folder)).toBeDefined();
    expect(readdirSync(root)).toEqual(['e']);
  });

  it('leaves nothing of a failed build, and keeps the old entry when a forced one fails', async () => {
    const root = temporaryFolder();
    const broken = async (folder: string) => {
      writeFileSync(join(folder, 'half'), 'x');
      throw new Error('interrupted');
    };
    await expect(ensureEntry(root, 'e', quiet, broken)).rejects.toThrow('interrupted');
    expect(readdirSync(root)).toEqual([]);
    const { build } = counted();
    await ensureEntry(root, 'e', quiet, build);
    await expect(ensureEntry(root, 'e', { ...quiet, force: true }, broken)).rejects.toThrow('interrupted');
    expect(await readEntry(join(root, 'e'))).toBeDefined();
  });

  it('sweeps what a killed process left, of its own entry only', async () => {
    const root = temporaryFolder();
    for (const name of ['e.work-dead1', 'e.work-dead2-old', 'other.work-alive']) {
      mkdirSync(join(root, name));
      writeFileSync(join(root, name, 'huge'), 'x');
    }
    await ensureEntry(root, 'e', quiet, counted().build);
    expect(readdirSync(root).sort()).toEqual(['e', 'other.work-alive']);
  });

  it('says so when the cache cannot be written', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const failure = ensureEntry(join(file, 'cache'), 'e', quiet, counted().build);
    await expect(failure).rejects.toMatchObject({
      kind: 'io',
      fix: expect.stringContaining('ASMLP_CACHE_DIR'),
    });
    await expect(failure).rejects.toThrow('the engine cache cannot be written (ENOTDIR)');
  });

  it('says so when the disk fills up', async () => {
    const full = async () => {
      throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    };
    const failure = ensureEntry(temporaryFolder(), 'e', quiet, full);
    await expect(failure).rejects.toThrow('the disk of the engine cache is full');
  });

  it('reads a complete entry from a cache that cannot be written', async () => {
    const root = temporaryFolder();
    await ensureEntry(root, 'e', quiet, counted().build);
    // A lock that never opens stands for any obstacle to writing: reading does not need it.
    mkdirSync(join(root, 'e.lock'));
    expect((await ensureEntry(root, 'e', quiet, counted().build)).built).toBe(false);
  });
});
