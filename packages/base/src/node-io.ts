import { randomBytes } from 'node:crypto';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AsMlpError, type ErrorKind } from './error.ts';

/** Random access to the bytes of one file. */
export interface FileSource {
  /** The path as given. */
  readonly name: string;
  /** Bytes in the file when it was opened. */
  readonly size: number;
  /** `length` bytes from `offset`; asking past the end is an error, never a short answer. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const REASONS: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ENOENT: ['there is no such file or folder', 'Check the path'],
  ENOTDIR: ['a part of this path is a file, not a folder', 'Check the path'],
  EISDIR: ['is a folder, not a file', 'Name a file'],
  EACCES: ['may not be accessed by this user', 'Change its permissions or choose another place'],
  EPERM: ['may not be accessed by this user', 'Change its permissions or choose another place'],
  EROFS: ['lies on a read-only disk', 'Choose a place that can be written'],
  ENOSPC: ['the disk is full', 'Free some space or choose another place'],
  EDQUOT: ['the disk quota of this user is used up', 'Free some space or choose another place'],
  EMFILE: ['too many files are open', 'Raise the limit with `ulimit -n 4096`'],
  ENAMETOOLONG: ['the name is too long', 'Choose a shorter one'],
};

/** The operating system's code of an error (`ENOENT`, …), or undefined when it has none. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Puts a file system error into words for a person; an `AsMlpError` passes through unchanged.
 * `where` is the path the user knows.
 */
export function describeIoError(error: unknown, where: string, kind: ErrorKind = 'io'): AsMlpError {
  if (error instanceof AsMlpError) return error;
  const code = errorCode(error);
  const known = code === undefined ? undefined : REASONS[code];
  if (known) return new AsMlpError(kind, { where, what: known[0], fix: known[1], cause: error });
  const what = error instanceof Error ? error.message : String(error);
  return new AsMlpError(kind, { where, what: `could not be read or written (${what})`, cause: error });
}

/**
 * Opens a file for positional reads, without loading it. Usable as a `ByteSource` of `@as-mlp/nn`.
 *
 * @throws AsMlpError `input` when the path is missing, unreadable or not a regular file; `io` when a
 * read fails, reaches past the end, or the file shrank meanwhile.
 */
export async function fileSource(path: string): Promise<FileSource> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw describeIoError(error, path, 'input');
  });
  let size: number;
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new AsMlpError('input', { where: path, what: 'is a folder, not a file' });
    if (!stats.isFile()) throw new AsMlpError('input', { where: path, what: 'is not a regular file' });
    size = stats.size;
  } catch (error) {
    await handle.close();
    throw describeIoError(error, path, 'input');
  }
  return {
    name: path,
    size,
    read: (offset, length) => readExactly(handle, path, size, offset, length),
    close: () => handle.close(),
  };
}

async function readExactly(handle: FileHandle, path: string, size: number, offset: number, length: number) {
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  // Before allocating: a hostile file may name a length that it does not have.
  if (!valid || offset + length > size) {
    const what = `bytes ${offset} to ${offset + length} were asked for, but it has ${size}`;
    throw new AsMlpError('io', { where: path, what, fix: 'The file may be truncated: fetch it again' });
  }
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle
      .read(bytes, filled, length - filled, offset + filled)
      .catch((error: unknown) => {
        throw describeIoError(error, path);
      });
    if (bytesRead === 0) {
      throw new AsMlpError('io', { where: path, what: 'became shorter while it was read' });
    }
    filled += bytesRead;
  }
  return bytes;
}

/**
 * Writes a whole file or nothing: the bytes go to a temporary sibling, reach the disk, and then take
 * the name at once. A symbolic link keeps pointing where it did; a pipe or device is written as it is.
 *
 * @throws AsMlpError `io` when the folder is missing, may not be written, or the disk is full; the old
 * file is then untouched and no temporary file stays behind.
 */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  try {
    const target = await finalPath(path);
    if (target.special) await writeThrough(path, content);
    else await writeSibling(target.path, target.mode, content);
  } catch (error) {
    throw describeIoError(error, path);
  }
}

interface Target {
  readonly path: string;
  /** A pipe or device: it cannot be renamed over. */
  readonly special: boolean;
  readonly mode: number;
}

async function finalPath(path: string): Promise<Target> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) {
      throw new AsMlpError('io', { where: path, what: 'is a folder, not a file', fix: 'Name a file in it' });
    }
    if (!stats.isFile()) return { path, special: true, mode: stats.mode };
    return { path: await realpath(path), special: false, mode: stats.mode & 0o777 };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { path, special: false, mode: 0o666 };
    throw error;
  }
}

async function writeThrough(path: string, content: Uint8Array | string): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.writeFile(content);
  } finally {
    await handle.close();
  }
}

async function writeSibling(path: string, mode: number, content: Uint8Array | string): Promise<void> {
  const name = `.${basename(path).slice(0, 100)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  const temporary = join(dirname(path), name);
  const handle = await open(temporary, 'wx', mode);
  try {
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the rename itself durable; not every file system allows it, and the content is safe already. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // EINVAL on file systems without directory sync.
  } finally {
    await handle?.close();
  }
}
