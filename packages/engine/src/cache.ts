import { rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { describeIoError, errorCode } from '@as-mlp/base/node';
import { withLock } from './lock.ts';

/** One file of a cache entry, as verified when it was made. */
export interface CachedFile {
  /** Path inside the entry, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** What `complete.json` says of an entry. It is written last: an entry without it is half-built. */
export interface Manifest {
  readonly format: 1;
  /** Versions and origins, for people and for `doctor`. */
  readonly about: Readonly<Record<string, string>>;
  readonly files: readonly CachedFile[];
}

export interface CacheEntry {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Whether this call made it. */
  readonly built: boolean;
}

export interface EnsureOptions {
  /** Builds anew even when the entry is complete. */
  readonly force?: boolean;
  readonly log: (line: string) => void;
}

const MARKER = 'complete.json';

/** The folder in the cache that holds compiled graphs, one file each, instead of an entry. */
export const GRAPHS = 'graphs';

/**
 * The per-user folder of libraries and addons: `ASMLP_CACHE_DIR`, else `$XDG_CACHE_HOME/as-mlp`, else
 * `~/.cache/as-mlp`.
 */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  if (env.ASMLP_CACHE_DIR) return env.ASMLP_CACHE_DIR;
  const base = env.XDG_CACHE_HOME;
  // The XDG specification has relative paths ignored.
  if (base && isAbsolute(base)) return join(base, 'as-mlp');
  return join(env.HOME || homedir(), '.cache', 'as-mlp');
}

/** The manifest of a complete entry whose files all have their size, or undefined. Reads nothing else. */
export async function readEntry(folder: string): Promise<Manifest | undefined> {
  const manifest = await readManifest(join(folder, MARKER));
  if (!manifest) return undefined;
  const intact = await Promise.all(
    manifest.files.map(async (file) => {
      const stats = await stat(join(folder, file.path)).catch(() => undefined);
      return stats?.isFile() && stats.size === file.size;
    }),
  );
  return intact.every(Boolean) ? manifest : undefined;
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  try {
    const value: Manifest = JSON.parse(await readFile(path, 'utf8'));
    const valid = value?.format === 1 && Array.isArray(value.files) && typeof value.about === 'object';
    return valid ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The entry `name` of the cache at `root`, built when it is not complete.
 *
 * `build` fills an empty folder beside the final place, which then takes the final name at once: an
 * interrupted build leaves nothing that looks finished, and is swept away by the next. One process
 * builds, others wait for it.
 *
 * @throws AsMlpError `io` when the cache cannot be written.
 */
export async function ensureEntry(
  root: string,
  name: string,
  options: EnsureOptions,
  build: (folder: string) => Promise<Omit<Manifest, 'format'>>,
): Promise<CacheEntry> {
  const folder = join(root, name);
  const found = options.force ? undefined : await readEntry(folder);
  if (found) return { folder, manifest: found, built: false };
  const onWait = (pid: number) => options.log(`waiting for process ${pid}, which is preparing ${name}`);
  try {
    await mkdir(root, { recursive: true });
    return await withLock(join(root, `${name}.lock`), { onWait }, async () => {
      const made = options.force ? undefined : await readEntry(folder);
      if (made) return { folder, manifest: made, built: false };
      return await buildEntry(root, name, build);
    });
  } catch (error) {
    throw cacheError(error, root);
  }
}

async function buildEntry(
  root: string,
  name: string,
  build: (folder: string) => Promise<Omit<Manifest, 'format'>>,
): Promise<CacheEntry> {
  const folder = join(root, name);
  // Only the holder of the lock makes these, so whatever is there was left by a process that died.
  const leftovers = (await readdir(root)).filter((entry) => entry.startsWith(`${name}.work-`));
  for (const entry of leftovers) await rm(join(root, entry), { recursive: true, force: true });
  const work = await mkdtemp(join(root, `${name}.work-`));
  const sweep = () => rmSync(work, { recursive: true, force: true });
  process.once('exit', sweep);
  try {
    await chmod(work, 0o755);
    const manifest: Manifest = { format: 1, ...(await build(work)) };
    await writeFile(join(work, MARKER), `${JSON.stringify(manifest, null, 2)}\n`);
    await replaceFolder(work, folder);
    return { folder, manifest, built: true };
  } finally {
    process.off('exit', sweep);
    await rm(work, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function replaceFolder(work: string, folder: string): Promise<void> {
  const old = `${work}-old`;
  await rename(folder, old).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
  await rename(work, folder);
  await rm(old, { recursive: true, force: true });
}

/** The one error for a cache that cannot be written. */
function cacheError(error: unknown, root: string): AsMlpError {
  if (error instanceof AsMlpError) return error;
  const { message } = describeIoError(error, root);
  const code = errorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const fix = 'Free 1.2 GB there, or set ASMLP_CACHE_DIR to a folder on another disk';
    return new AsMlpError('io', {
      where: root,
      what: 'the disk of the engine cache is full',
      fix,
      cause: error,
    });
  }
  const fix = 'Set ASMLP_CACHE_DIR to a folder that you may write';
  // Making folders on a read-only disk fails as ENOENT, which would mislead.
  const detail = code === 'ENOENT' ? '' : ` (${code ?? message})`;
  const what = `the engine cache cannot be written${detail}`;
  return new AsMlpError('io', { where: root, what, fix, cause: error });
}

/** Bytes below `folder`; 0 when it does not exist. */
export async function folderSize(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
