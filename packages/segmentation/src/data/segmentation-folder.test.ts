import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createImage, encodeLabels, encodePng } from '@as-mlp/data';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADE20K_CLASSES, ADE20K_PALETTE } from '../ade20k.ts';
import { openExamples } from './examples.ts';
import { openSegmentationFolder, VOC_CLASSES } from './segmentation-folder.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'folder-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, content: string | Uint8Array = '') {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}
const files = () => openSegmentationFolder(root, 'val').pairs.map(({ image, labels }) => [image, labels]);

describe('openSegmentationFolder', () => {
  it.each([
    ['images/validation', 'annotations/validation'],
    ['images/val', 'labels/val'],
    ['val/images', 'val/masks'],
    ['img_dir/val', 'ann_dir/val'],
  ])('pairs %s with %s', async (images, labels) => {
    await put('classes.txt', 'ground\n\nsky\n');
    for (const name of ['b', 'a']) {
      await put(`${images}/${name}.jpg`);
      await put(`${labels}/${name}.png`);
    }
    expect(files()).toEqual(
      ['a', 'b'].map((name) => [join(root, images, `${name}.jpg`), join(root, labels, `${name}.png`)]),
    );
    expect(openSegmentationFolder(root, 'val')).toMatchObject({
      labels: ['ground', 'sky'],
      reduceZeroLabel: false,
    });
    expect(() => openSegmentationFolder(root, 'train')).toThrow('none of the folders');
    await put(`${images}/c.jpg`);
    expect(files).toThrow(/c\.jpg: it has no label map/);
  });

  it('reads the lists and the classes of PASCAL VOC', async () => {
    await put('ImageSets/Segmentation/val.txt', '2007_2\n2007_1\n');
    await put('JPEGImages/2007_1.jpg');
    await put('JPEGImages/2007_2.jpg');
    await put('SegmentationClass/2007_1.png');
    await put('SegmentationClass/2007_2.png');
    expect(files().map(([image]) => image)).toEqual([
      join(root, 'JPEGImages/2007_2.jpg'),
      join(root, 'JPEGImages/2007_1.jpg'),
    ]);
    expect(openSegmentationFolder(root, 'val').labels).toBe(VOC_CLASSES);
    expect(VOC_CLASSES).toHaveLength(21);
    await rm(join(root, 'JPEGImages/2007_1.jpg'));
    expect(files).toThrow(/2007_1\.jpg: there is no such file/);
  });
});

describe('ADE20K', () => {
  beforeEach(async () => {
    await put('images/validation/ADE_val_00000001.jpg');
    await put('annotations/validation/ADE_val_00000001.png');
  });

  it('has its classes, numbered from 1, when nothing names them', async () => {
    expect(openSegmentationFolder(root, 'val')).toMatchObject({
      labels: ADE20K_CLASSES,
      reduceZeroLabel: true,
      palette: ADE20K_PALETTE,
    });
  });

  it('has its colours under the names of its own list, and none of other classes', async () => {
    const list = (names: readonly string[]) =>
      names.map((name, i) => `${i + 1}\t.1\t1\t1\t\t${name}, another name`).join('\n');
    await put('objectInfo150.txt', list(ADE20K_CLASSES));
    const { labels, palette } = openSegmentationFolder(root, 'val');
    expect([labels[0], palette]).toEqual(['wall, another name', ADE20K_PALETTE]);
    await put('objectInfo150.txt', list(ADE20K_CLASSES.slice(1)));
    expect(openSegmentationFolder(root, 'val').palette).toBeUndefined();
  });
});

describe('readClassList', () => {
  const classes = () => {
    const { labels, reduceZeroLabel, palette } = openSegmentationFolder(root, 'val');
    return { labels, reduceZeroLabel, palette };
  };
  beforeEach(async () => {
    await put('images/val/a.jpg');
    await put('labels/val/a.png');
  });

  it.each([
    ['classes.json', '["a","b"]', false, undefined],
    ['classes2.json', '[{"id":2,"name":"b"},{"id":1,"name":"a"}]', true, undefined],
    [
      'classes.json',
      '[{"id":0,"name":"a","color":[1,2,3]},{"id":1,"name":"b","color":[4,5,6]}]',
      false,
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      'objectInfo150.txt',
      'Idx\tRatio\tTrain\tVal\t\tName\n1\t.5\t9\t2\t\ta \n2\t.1\t6\t1\t\tb\n',
      true,
      undefined,
    ],
  ])('reads %s %s', async (name, text, reduceZeroLabel, palette) => {
    await put(name, text);
    expect(classes()).toEqual({ labels: ['a', 'b'], reduceZeroLabel, palette });
  });

  it.each([
    ['{', 'it is no JSON'],
    ['{"a":1}', 'it is no list'],
    ['[{"id":2,"name":"a"}]', 'have gaps'],
    ['[{"id":1,"name":"a"},{"id":1,"name":"b"}]', 'given twice'],
    ['["a","a"]', 'names the class "a" twice'],
  ])('refuses %s', async (text, message) => {
    await put('classes.json', text);
    expect(classes).toThrow(message);
  });

  it('wants one list', async () => {
    expect(classes).toThrow('nothing names the classes');
    await put('classes.txt', 'a');
    await put('classes.json', '["a"]');
    expect(classes).toThrow('several lists');
  });
});

describe('openExamples', () => {
  it('reads labels from the numbers that the list counts from, and names what does not fit', async () => {
    await put('classes.json', '[{"id":1,"name":"a"},{"id":2,"name":"b"}]');
    await put('images/val/a.png', await encodePng(createImage({ height: 1, width: 4 })));
    const label = (data: Uint8Array | Uint16Array) => encodeLabels({ height: 1, width: data.length, data });
    await put('labels/val/a.png', await label(Uint8Array.of(0, 1, 2, 255)));
    const load = (reduceZeroLabel?: boolean) => openExamples(root, 'val', { reduceZeroLabel }).load(0);
    expect((await load()).labels.data).toEqual(Uint8Array.of(255, 0, 1, 255));
    await expect(load(false)).rejects.toThrow(/labels\/val\/a\.png: it holds the label 2/);
    await put('labels/val/a.png', await label(Uint16Array.of(2, 1, 0, 300)));
    await expect(load()).rejects.toThrow(/a\.png: it holds the label 299/);
    await put('labels/val/a.png', await label(Uint16Array.of(2, 1)));
    await expect(load()).rejects.toThrow(/a\.png: the image is 4×1 pixels, and its annotations are for 2×1/);
  });

  it('makes scenes of digits, whose labels are the background and the digits', async () => {
    const scenes = openExamples('digit-scenes', 'val');
    expect(scenes.length).toBe(200);
    expect(scenes.labels).toHaveLength(11);
    const { image, labels } = await scenes.load(3);
    expect([labels.height, labels.width]).toEqual([image.height, image.width]);
    const background = labels.data.filter((value) => value === 0).length / labels.data.length;
    expect(background).toBeGreaterThan(0.6);
    expect(new Set(labels.data).size).toBeGreaterThan(1);
    expect(Math.max(...labels.data)).toBeLessThanOrEqual(10);
  });
});
