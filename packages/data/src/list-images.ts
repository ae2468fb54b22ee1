import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { readError } from './read-bytes.ts';

const IMAGE_NAME = /\.(jpe?g|jfif|png|webp|gif|tiff?|avif)$/i;

/**
 * The image files that `paths` name. A file is taken as it is, whatever it is called. A folder gives the files directly in
 * it (not in folders below) that have an image's extension and are not hidden, in the order of the bytes of their
 * names. The order of `paths` is kept.
 * Throws AsMlpError('input') for a path that does not exist and for a folder without images.
 */
export async function listImages(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const status = await stat(path).catch((error: unknown) => {
      throw readError(path, error);
    });
    if (status.isDirectory()) files.push(...(await listFolder(path)));
    else files.push(path);
  }
  return files;
}

async function listFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw readError(folder, error);
  });
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.') && IMAGE_NAME.test(entry.name))
    .map(({ name }) => name)
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (names.length === 0) {
    throw new AsMlpError('input', {
      where: folder,
      what: 'there are no images in this folder',
      fix: 'Give a folder with JPEG, PNG, WebP, GIF, TIFF or AVIF files in it, or the files themselves',
    });
  }
  return names.map((name) => join(folder, name));
}
