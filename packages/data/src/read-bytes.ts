import { open } from 'node:fs/promises';
import { AsMlpError } from '@as-mlp/base';
import { checkByteCount, type ImageLimits } from './limits.ts';

/**
 * The first `length` bytes of a regular file (all of it unless given), after its size was checked.
 * Throws AsMlpError: 'input' where there is no such file, 'io' where it cannot be read, 'image' where it is empty or
 * above the limit.
 */
export async function readImageBytes(
  path: string,
  limits: ImageLimits,
  length?: number,
): Promise<Uint8Array> {
  let file: Awaited<ReturnType<typeof open>> | undefined;
  try {
    file = await open(path);
    const status = await file.stat();
    if (!status.isFile()) {
      throw new AsMlpError('input', {
        where: path,
        what: status.isDirectory() ? 'this is a folder' : 'this is not a regular file',
        fix: 'Give an image file',
      });
    }
    checkByteCount(status.size, limits, path);
    const bytes = new Uint8Array(Math.min(status.size, length ?? status.size));
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  } catch (error) {
    throw readError(path, error);
  } finally {
    await file?.close();
  }
}

/** What went wrong with `path`, for a person. */
export function readError(path: string, error: unknown): AsMlpError {
  if (error instanceof AsMlpError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new AsMlpError('input', {
      where: path,
      what: 'there is no such file or folder',
      fix: 'Check the path',
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new AsMlpError('io', {
    where: path,
    what: `it cannot be read (${code || reason})`,
    fix: 'Check its permissions and the disk',
    cause: error,
  });
}
