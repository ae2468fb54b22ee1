import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { ADE20K_CLASSES, ADE20K_PALETTE } from '../ade20k.ts';
import { type ClassList, readClassList } from './class-list.ts';

/** Part of a data set. */
export type Split = 'train' | 'val';

/** The files of one part of a data set, and its classes. */
export interface SegmentationFolder extends ClassList {
  /** In the order of the bytes of their names. */
  readonly pairs: readonly { readonly image: string; readonly labels: string }[];
}

const SPLIT_NAMES: Readonly<Record<Split, readonly string[]>> = {
  train: ['training', 'train'],
  val: ['validation', 'val'],
};
const IMAGE_FOLDERS = ['images', 'img_dir'];
const LABEL_FOLDERS = ['annotations', 'labels', 'masks', 'ann_dir'];
/** How the images of ADE20K are called, whose archive may come without a list of classes. */
const ADE20K_NAME = /^ADE_(train|val)_\d{8}\.jpg$/;
const IMAGE_NAME = /\.(jpe?g|png|webp|tiff?)$/i;

/** The 21 classes of PASCAL VOC in the order of their palette. */
export const VOC_CLASSES: readonly string[] = (
  'background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person ' +
  'pottedplant sheep sofa train tvmonitor'
).split(' ');

/**
 * One part of the data set in `root`: images with label maps of the same name (PNG), as ADE20K has them (`images/training` with
 * `annotations/training`, `validation` for `val`), in folders named otherwise (`images`, `img_dir` and `annotations`, `labels`,
 * `masks`, `ann_dir`, below or above `train` and `val`), or as PASCAL VOC has them (`JPEGImages`, `SegmentationClass`,
 * `ImageSets/Segmentation/train.txt`). Classes come from `classes.txt` or `classes.json`; VOC and ADE20K (known by the names of its
 * images) have their own unless given.
 *
 * @throws AsMlpError (input) that says what was looked for, or names the image without label map.
 */
export function openSegmentationFolder(root: string, split: Split): SegmentationFolder {
  if (!isFolder(root)) {
    throw new AsMlpError('input', { where: root, what: 'there is no such folder', fix: 'Check the path' });
  }
  const voc = vocPairs(root, split);
  const pairs = voc ?? folderPairs(root, split);
  const classes = readClassList(root) ?? (voc ? VOC : ade20k(pairs));
  if (!classes) {
    throw new AsMlpError('input', {
      where: root,
      what: 'nothing names the classes',
      fix: 'Put a file classes.txt there: a name a line, in the order of the numbers in the label maps',
    });
  }
  return { ...classes, pairs };
}

const VOC: ClassList = { labels: VOC_CLASSES, reduceZeroLabel: false };

function ade20k(pairs: SegmentationFolder['pairs']): ClassList | undefined {
  if (!pairs.every(({ image }) => ADE20K_NAME.test(basename(image)))) return undefined;
  return { labels: ADE20K_CLASSES, reduceZeroLabel: true, palette: ADE20K_PALETTE };
}

function folderPairs(root: string, split: Split): SegmentationFolder['pairs'] {
  const find = (folders: readonly string[]) => {
    const tried = SPLIT_NAMES[split].flatMap((name) =>
      folders.flatMap((folder) => [join(folder, name), join(name, folder)]),
    );
    const found = tried.find((folder) => isFolder(join(root, folder)));
    if (found) return join(root, found);
    throw new AsMlpError('input', {
      where: root,
      what: `there is none of the folders ${tried.join(', ')}`,
      fix: 'Give the folder of a data set laid out like ADE20K or PASCAL VOC',
    });
  };
  const images = find(IMAGE_FOLDERS);
  const labels = find(LABEL_FOLDERS);
  const names = readdirSync(images).filter((name) => IMAGE_NAME.test(name) && !name.startsWith('.'));
  names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (names.length === 0) {
    throw new AsMlpError('input', {
      where: images,
      what: 'there are no images in this folder',
      fix: 'Put JPEG or PNG files there',
    });
  }
  return names.map((name) => pairOf(join(images, name), labels, name.slice(0, -extname(name).length)));
}

function vocPairs(root: string, split: Split): SegmentationFolder['pairs'] | undefined {
  const list = join(root, 'ImageSets', 'Segmentation', `${split}.txt`);
  if (!existsSync(list)) return undefined;
  const names = readFileSync(list, 'utf8').split(/\s+/).filter(Boolean);
  if (names.length === 0) {
    throw new AsMlpError('input', { where: list, what: 'it names no image', fix: 'Give a name a line' });
  }
  return names.map((name) => {
    const image = join(root, 'JPEGImages', `${name}.jpg`);
    if (existsSync(image)) return pairOf(image, join(root, 'SegmentationClass'), name);
    throw new AsMlpError('input', {
      where: image,
      what: `there is no such file, and ${list} names it`,
      fix: 'Check that the data set is complete',
    });
  });
}

function pairOf(image: string, folder: string, name: string): { image: string; labels: string } {
  const labels = join(folder, `${name}.png`);
  if (existsSync(labels)) return { image, labels };
  throw new AsMlpError('input', {
    where: image,
    what: `it has no label map: there is no file ${labels}`,
    fix: 'Add the label map, or take the image away',
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
