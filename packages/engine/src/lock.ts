import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '@as-mlp/base/node';

/** Who holds a lock, as written into its file. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

export interface LockOptions {
  /** Called once when another process holds the lock and this one begins to wait. */
  readonly onWait?: (pid: number) => void;
  /** A holder that has not touched its file for this long is taken for dead, in milliseconds. */
  readonly staleAfter?: number;
  /** How often a waiting process looks, in milliseconds. */
  readonly pollEvery?: number;
}

const STALE_AFTER = 60_000;
const POLL_EVERY = 250;

/**
 * Runs `work` while holding the lock file at `path`; waits while another process holds it.
 *
 * A holder touches its file while it works. It counts as dead when its process is gone (same host) or
 * when it has not touched the file for a minute (another host or container), and the lock is taken
 * over. The file is removed at the end, also when this process exits early.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const mine: Holder = { pid: process.pid, host: hostname(), token: randomBytes(8).toString('hex') };
  await acquire(path, mine, options);
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  const staleAfter = options.staleAfter ?? STALE_AFTER;
  const beat = setInterval(() => {
    const now = new Date();
    // When the file is gone the work is still safe: it is renamed into place at its end.
    utimes(path, now, now).catch(() => undefined);
  }, staleAfter / 6);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    process.off('exit', release);
    await rm(path, { force: true });
  }
}

async function acquire(path: string, mine: Holder, options: LockOptions): Promise<void> {
  let announced = false;
  while (!(await tryCreate(path, mine))) {
    const holder = await readHolder(path);
    if (holder === undefined) continue;
    if (await isStale(path, holder, options.staleAfter ?? STALE_AFTER)) {
      await takeAway(path, holder, mine);
      continue;
    }
    if (!announced) options.onWait?.(holder.pid);
    announced = true;
    await sleep(options.pollEvery ?? POLL_EVERY);
  }
}

/** Creates the lock with its content in one step: a reader never sees it empty. */
async function tryCreate(path: string, mine: Holder): Promise<boolean> {
  const draft = `${path}.${mine.token}`;
  await writeFile(draft, JSON.stringify(mine));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    // File systems without hard links.
    if (errorCode(error) !== 'EPERM' && errorCode(error) !== 'ENOTSUP') throw error;
    return await writeFile(path, JSON.stringify(mine), { flag: 'wx' }).then(
      () => true,
      (failure: unknown) => {
        if (errorCode(failure) === 'EEXIST') return false;
        throw failure;
      },
    );
  } finally {
    await rm(draft, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (
      typeof value === 'object' &&
      value !== null &&
      'pid' in value &&
      'host' in value &&
      'token' in value
    ) {
      return { pid: Number(value.pid), host: String(value.host), token: String(value.token) };
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
  }
  // Not ours to read: only its age can tell whether it is dead.
  return { pid: 0, host: '', token: '' };
}

async function isStale(path: string, holder: Holder, staleAfter: number): Promise<boolean> {
  if (holder.host === hostname() && !isAlive(holder.pid)) return true;
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs > staleAfter;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** Removes a dead holder's file; if another process has replaced it meanwhile, its file is put back. */
async function takeAway(path: string, dead: Holder, mine: Holder): Promise<void> {
  const aside = `${path}.${mine.token}.dead`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const taken = await readHolder(aside);
  if (taken && taken.token !== dead.token) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
