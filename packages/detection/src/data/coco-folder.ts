import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';

/** Where one part of a COCO data set lies. */
export interface CocoFolder {
  readonly annotations: string;
  /** What the file names of images are relative to. */
  readonly images: string;
}

/**
 * The annotations and images of a part of `root`: `annotations/instances_<split>2017.json` with `<split>2017/`, as COCO is
 * distributed, or `annotations/instances_<split>.json` with `<split>/`; images may also lie below `images/`.
 *
 * @throws AsMlpError (input) that says what was looked for.
 */
export function findCocoFolder(root: string, split: 'train' | 'val'): CocoFolder {
  const names = [`${split}2017`, split];
  const found = names.find((name) => existsSync(annotationsOf(root, name)));
  if (!found) {
    throw new AsMlpError('input', {
      where: root,
      what: `there is neither ${names.map((name) => annotationsOf('', name)).join(' nor ')}`,
      fix: 'Give the folder of a COCO data set',
    });
  }
  const folders = names.flatMap((name) => [join(root, name), join(root, 'images', name)]);
  const images = folders.find((folder) => statSync(folder, { throwIfNoEntry: false })?.isDirectory());
  return { annotations: annotationsOf(root, found), images: images ?? root };
}

function annotationsOf(root: string, name: string): string {
  return join(root, 'annotations', `instances_${name}.json`);
}
