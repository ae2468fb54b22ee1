import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { describeIoError } from '@as-mlp/base/node';

const run = promisify(execFile);

/** Where the files of a working folder come from. */
export interface GitState {
  readonly commit: string;
  /** Empty when no branch is checked out. */
  readonly branch: string;
  /** Tracked files that differ from the commit. */
  readonly changed: number;
}

/** The state of the git repository that `folder` lies in; undefined where there is none, or no git. */
export async function gitState(folder: string): Promise<GitState | undefined> {
  const git = async (...args: string[]) =>
    (await run('git', ['-C', folder, ...args], { timeout: 10_000, maxBuffer: 2 ** 26 })).stdout.trim();
  try {
    const commit = await git('rev-parse', 'HEAD');
    const branch = await git('branch', '--show-current');
    const status = await git('status', '--porcelain', '--untracked-files=no');
    return { commit, branch, changed: status === '' ? 0 : status.split('\n').length };
  } catch {
    // No repository, no commit in it yet, or no git: the report says that there is none.
    return undefined;
  }
}

/** The SHA-256 of a file, as hexadecimal digits. */
export async function fileHash(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash).catch((error: unknown) => {
    throw describeIoError(error, path);
  });
  return hash.digest('hex');
}
