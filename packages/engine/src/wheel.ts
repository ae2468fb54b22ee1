import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { AsMlpError } from '@as-mlp/base';
import { errorCode } from '@as-mlp/base/node';
import yauzl from 'yauzl';
import type { CachedFile } from './cache.ts';

/** What the wheel's own RECORD says of a file. */
interface RecordLine {
  /** SHA-256 in base64url without padding, as wheels write it. */
  readonly sha256: string;
  readonly size: number;
}

/** Files that were unpacked, and the wheel's METADATA. */
export interface UnpackedWheel {
  readonly files: CachedFile[];
  readonly metadata: string;
}

/**
 * Unpacks the files of a wheel that `wanted` names into a folder, streaming: memory stays flat
 * whatever their size. Each file's SHA-256 and size are compared with the wheel's RECORD.
 *
 * @throws AsMlpError `engine` for a wheel that is no zip, lacks RECORD or METADATA, holds an unsafe path,
 * or a file that differs from RECORD. Errors of the disk pass through.
 */
export async function unpackWheel(
  wheel: string,
  into: string,
  wanted: (path: string) => boolean,
): Promise<UnpackedWheel> {
  const zip = await yauzl.openPromise(wheel, { lazyEntries: true, autoClose: false }).catch((error) => {
    throw broken(wheel, error);
  });
  try {
    const entries = new Map<string, yauzl.Entry>();
    for await (const entry of zip.eachEntry()) entries.set(entry.fileName, entry);
    const read = async (name: string) => {
      const path = [...entries.keys()].find(
        (key) => /^[^/]+\.dist-info\/[^/]+$/.test(key) && basename(key) === name,
      );
      const entry = path === undefined ? undefined : entries.get(path);
      if (!entry) throw new Error(`it has no ${name}`);
      return (await buffer(await zip.openReadStreamPromise(entry))).toString('utf8');
    };
    const record = parseRecord(await read('RECORD'));
    const metadata = await read('METADATA');
    const files: CachedFile[] = [];
    for (const [path, entry] of entries) {
      if (path.endsWith('/') || !wanted(path)) continue;
      const line = record.get(path);
      if (!line) throw new Error(`${path} is not in its RECORD`);
      await unpackEntry(await zip.openReadStreamPromise(entry), join(into, path), path, line);
      const executable = (entry.externalFileAttributes >>> 16) & 0o111;
      if (executable) await chmod(join(into, path), 0o755);
      files.push({ path, size: line.size });
    }
    return { files, metadata };
  } catch (error) {
    // A disk error is the cache's to describe; what is left came from the wheel itself.
    if (error instanceof AsMlpError || (errorCode(error) && !errorCode(error)?.startsWith('Z_'))) throw error;
    throw broken(wheel, error);
  } finally {
    zip.close();
  }
}

async function unpackEntry(source: NodeJS.ReadableStream, target: string, path: string, line: RecordLine) {
  await mkdir(dirname(target), { recursive: true });
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(source, measure, createWriteStream(target));
  if (hash.digest('base64url') !== line.sha256 || size !== line.size) {
    throw new Error(`${path} differs from its RECORD`);
  }
}

/** RECORD is a CSV of path, `sha256=…`, size; its own line and signatures have no hash. */
function parseRecord(text: string): Map<string, RecordLine> {
  const lines = new Map<string, RecordLine>();
  for (const row of text.split(/\r?\n/)) {
    const match = /^(?:"((?:[^"]|"")*)"|([^,]*)),sha256=([\w-]+),(\d+)$/.exec(row);
    if (!match) continue;
    const path = match[1]?.replaceAll('""', '"') ?? match[2] ?? '';
    lines.set(path, { sha256: match[3] ?? '', size: Number(match[4]) });
  }
  return lines;
}

/**
 * The requirements that a wheel's METADATA lists under one extra, as pip takes them:
 * `nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"` → `nvidia-nccl-cu12<3.0,>=2.27.7`.
 */
export function extraRequirements(metadata: string, extra: string): string[] {
  const requirements: string[] = [];
  for (const match of metadata.matchAll(/^Requires-Dist:\s*([^;\r\n]+);([^\r\n]*)$/gm)) {
    const [, requirement = '', condition = ''] = match;
    if (new RegExp(`extra\\s*==\\s*["']${extra}["']`).test(condition)) requirements.push(requirement.trim());
  }
  return requirements;
}

function broken(wheel: string, error: unknown): AsMlpError {
  const why = error instanceof Error ? error.message : String(error);
  return new AsMlpError('engine', {
    where: basename(wheel),
    what: `the downloaded wheel is damaged (${why})`,
    fix: 'Run `npm run setup` again; if it stays so, ask who runs the package index',
    cause: error,
  });
}
