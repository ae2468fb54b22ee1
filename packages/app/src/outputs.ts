import { access, constants, mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { describeIoError, errorCode, writeFileAtomic } from '@as-mlp/base/node';
import { encodeLabels, encodePng, type LabelMap, type RgbImage } from '@as-mlp/data';
import type { Terminal } from './terminal.ts';

/** Writes a result as JSON: to standard output for `-`, else to a file, whole or not at all. */
export async function writeJson(target: string, value: unknown, terminal: Terminal): Promise<void> {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (target === '-') terminal.out(text);
  else await writeFileAtomic(target, text);
}

/**
 * Fails before the work rather than after it where a result could not be written: `target` is a folder, or lies in one
 * that is missing or may not be written. Standard output (`-`), devices and no target at all are fine.
 */
export async function checkTarget(target: string | undefined): Promise<void> {
  if (target === undefined || target === '-') return;
  const status = await stat(target).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw describeIoError(error, target);
  });
  if (status?.isDirectory()) {
    throw new AsMlpError('io', { where: target, what: 'is a folder, not a file', fix: 'Name a file in it' });
  }
  if (status && !status.isFile()) return;
  await checkWritable(dirname(target));
}

/** A folder that results may go to, made if need be. */
export async function outputFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    if (errorCode(error) === 'EEXIST') {
      throw new AsMlpError('io', {
        where: path,
        what: 'is a file, not a folder',
        fix: 'Choose another --out',
      });
    }
    throw describeIoError(error, path);
  });
  await checkWritable(path);
  return path;
}

async function checkWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK).catch((error: unknown) => {
    throw describeIoError(error, folder);
  });
}

/** Writes a picture as PNG. */
export async function writePicture(path: string, image: RgbImage): Promise<void> {
  await writeFileAtomic(path, await encodePng(image));
}

/** Writes a label map as a grey PNG of 8 or 16 bits. */
export async function writeLabels(path: string, labels: LabelMap): Promise<void> {
  await writeFileAtomic(path, await encodeLabels(labels));
}

/**
 * Names result files after inputs: `photo.jpg` → `photo.png`, and `photo-2.png` for a namesake from another folder.
 * The stems in `reserved` are left to others.
 */
export function createNamer(
  folder: string,
  extension: string,
  reserved: readonly string[] = [],
): (input: string) => string {
  const used = new Set(reserved);
  return (input) => {
    const stem = basename(input, extname(input));
    let name = stem;
    for (let i = 2; used.has(name.toLowerCase()); i++) name = `${stem}-${i}`;
    used.add(name.toLowerCase());
    return join(folder, `${name}.${extension}`);
  };
}

/** Writes text, whole or not at all. */
export function writeText(path: string, text: string): Promise<void> {
  return writeFileAtomic(path, text);
}

/** The lines of a text file, without empty ones at the end. */
export async function readLines(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw describeIoError(error, path, 'input');
  });
  return text.trimEnd().split(/\r?\n/);
}
