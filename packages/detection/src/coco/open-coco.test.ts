import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cocoPath, smallTruth } from './coco.fixture.ts';
import { openCoco, parseCoco } from './open-coco.ts';
import { rleArea } from './rle.ts';

const folder = mkdtempSync(join(tmpdir(), 'coco-'));
const parse = (json: object, classes?: string[]) => parseCoco(json, 'gt.json', { classes });
const square = [1, 1, 5, 1, 5, 5, 1, 5];

describe('openCoco', () => {
  it('reads a file', async () => {
    const dataset = await openCoco(cocoPath('gt.json'));
    expect(dataset.images).toHaveLength(44);
    expect(dataset.labels.slice(0, 3)).toEqual(['cup', 'cat', 'tree']);
    expect(dataset.categoryIds).toEqual([3, 1, 7, 12, 18, 21, 44, 90]);
    expect(dataset.labelOf(90)).toBe(7);
    expect(dataset.notes).toEqual([]);
    const { annotations } = dataset;
    for (let image = 0; image < 44; image++) {
      const [from, to] = dataset.annotationsOf(image);
      expect(annotations.image.subarray(from, to).every((index) => index === image)).toBe(true);
    }
    // In this file the areas are those of the masks: polygons, many parts and uncompressed run lengths.
    for (let i = 0; i < annotations.length; i++) expect(rleArea(dataset.mask(i))).toBe(annotations.area[i]);
    expect(dataset.imageIndex(dataset.images[9]!.id)).toBe(9);
  });

  it('tells what is wrong with a file', async () => {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    await expect(openCoco(join(folder, 'none.json'))).rejects.toThrow(/no such file/);
    await expect(openCoco(folder)).rejects.toThrow(/is a folder/);
    await expect(openCoco(write('half.json', '{"images": [{"id": 1'))).rejects.toThrow(/no JSON.*truncated/);
    await expect(openCoco(write('nan.json', '{"a": [1, NaN, 2]}'))).rejects.toThrow(/a number NaN/);
    await expect(openCoco(write('list.json', '[]'))).rejects.toThrow(/a list, as results are/);
    await expect(openCoco(write('null.json', 'null'))).rejects.toThrow(/no COCO file/);
    await expect(openCoco(write('object.json', '{}'))).rejects.toThrow(/no list "images"/);
    const bom = write('bom.json', `\ufeff${JSON.stringify(smallTruth([]))}`);
    expect((await openCoco(bom)).images).toHaveLength(1);
  });
});

describe('parseCoco', () => {
  it('takes what pycocotools takes', () => {
    const dataset = parse(
      smallTruth([
        { bbox: [-5, -5, 200, 100], unknown: { a: 1 } },
        { bbox: [3, 3, 0, 5], area: 0 },
        { bbox: [9, 9, -4, -4], iscrowd: undefined, ignore: 1 },
        { id: 900100581904, iscrowd: 1, segmentation: { size: [30, 40], counts: [600, 600] } },
        { category_id: 2, segmentation: [square, [1, 1, 5, 5], []] },
      ]),
    );
    expect(dataset.annotations.length).toBe(5);
    expect(dataset.box(0)).toEqual([-5, -5, 195, 95]);
    expect([...dataset.annotations.label]).toEqual([0, 0, 0, 0, 1]);
    expect([...dataset.annotations.crowd]).toEqual([0, 0, 0, 1, 0]);
    expect([...dataset.annotations.ignore]).toEqual([0, 0, 1, 0, 0]);
    expect(dataset.annotations.ids[3]).toBe(900100581904);
    expect(rleArea(dataset.mask(3))).toBe(600);
    expect(rleArea(dataset.mask(4))).toBe(16);
  });

  it('counts what takes no part', () => {
    const dataset = parse(smallTruth([{}, { image_id: 8 }, { category_id: 9 }, { image_id: 9 }]));
    expect(dataset.annotations.length).toBe(2);
    expect([...dataset.annotations.label]).toEqual([0, -1]);
    expect(dataset.notes).toEqual([
      '2 annotations of images that the file does not list take no part (id 2, 4)',
      '1 annotation of categories that the file does not list takes no part (id 3)',
    ]);
  });

  it('orders labels by a list of classes', () => {
    const truth = smallTruth([{}, { category_id: 2 }]);
    const dataset = parse(truth, ['dog', 'cat']);
    expect(dataset.labels).toEqual(['dog', 'cat']);
    expect(dataset.categoryIds).toEqual([undefined, 2]);
    expect([...dataset.annotations.label]).toEqual([-1, 1]);
    expect(dataset.notes).toEqual([]);
    expect(() => parse(truth, ['cupp'])).toThrow(/none of the 1 classes.*"cupp" looks like "cup"/);
    expect(() => parse(truth, ['cat', 'cat'])).toThrow(/"cat" stands there twice/);
    const twins = {
      categories: [
        { id: 1, name: 'cat' },
        { id: 2, name: 'cat' },
      ],
    };
    expect(() => parse(smallTruth([], twins), ['cat'])).toThrow(/category 2: category 1 is called "cat" too/);
  });

  it.each([
    ['doubled id', [{}, { id: 1 }], /gt\.json, annotation 1: this id occurs twice/],
    ['no id', [{ id: undefined }], /annotation number 1: "id" is missing/],
    ['id as text', [{ id: 'x' }], /annotation "x": "id" is "x"/],
    ['no box', [{ id: 5, bbox: undefined }], /annotation 5: "bbox" is missing/],
    ['box with a hole', [{ id: 5, bbox: [1, null, 3, 4] }], /annotation 5: "bbox" is \[1,null,3,4\]/],
    ['box of three', [{ id: 5, bbox: [1, 2, 3] }], /annotation 5: "bbox"/],
    ['infinite box', [{ id: 5, bbox: [1, 2, 3, Number.POSITIVE_INFINITY] }], /annotation 5: "bbox"/],
    ['no area', [{ id: 5, area: undefined }], /annotation 5: "area" is missing.*number of the mask's pixels/],
    ['area that is no number', [{ id: 5, area: Number.NaN }], /annotation 5: "area"/],
    ['crowd 2', [{ id: 5, iscrowd: 2 }], /annotation 5: "iscrowd" is 2/],
    ['no category', [{ id: 5, category_id: null }], /annotation 5: "category_id" is null/],
  ])('refuses an annotation: %s', (_, annotations, message) => {
    expect(() => parse(smallTruth(annotations))).toThrow(message);
  });

  it.each([
    [
      {
        images: [
          { id: 1, width: 4, height: 4 },
          { id: 1, width: 4, height: 4 },
        ],
      },
      /image 1: this id occurs twice/,
    ],
    [{ images: [{ id: 1, width: 0, height: 4 }] }, /image 1: "width" is 0\. Give a whole number from 1/],
    [{ images: [{ id: 1, height: 4 }] }, /image 1: "width" is missing/],
    [{ images: [null] }, /image number 1: is null/],
    [{ images: [{ id: 1, width: 4, height: 4, file_name: 3 }] }, /"file_name" is no text/],
    [
      {
        categories: [
          { id: 1, name: 'a' },
          { id: 1, name: 'b' },
        ],
      },
      /category 1: this id occurs twice/,
    ],
    [{ categories: undefined }, /no list "categories"/],
    [{ annotations: {} }, /"annotations" is no list/],
  ])('refuses %j', (more, message) => {
    expect(() => parse(smallTruth([], more))).toThrow(message);
  });

  it.each([
    ['none', undefined, /annotation 4: there is no mask/],
    ['an empty list', [], /annotation 4: there is no mask/],
    ['lines alone', [[1, 1, 5, 5], []], /annotation 4: no polygon of "segmentation" has three corners/],
    ['half a corner', [[...square, 3]], /annotation 4: a polygon of 9 numbers has a corner without y/],
    ['text in a polygon', [[1, 1, 'x', 5, 5, 1]], /annotation 4: value 3 of a polygon/],
    ['a polygon that is no list', [3], /annotation 4: a polygon of 1 numbers/],
    ['run lengths of another size', { size: [40, 30], counts: [1200] }, /annotation 4: the mask has 40×30/],
    ['run lengths that end early', { size: [30, 40], counts: [10] }, /annotation 4: .*sum to 10/],
    ['text', 'abc', /annotation 4: this is no run-length mask/],
  ])('refuses a mask when it is asked for: %s', (_, segmentation, message) => {
    const dataset = parse(smallTruth([{ id: 4, segmentation }]));
    expect(dataset.box(0)).toEqual([0, 0, 10, 10]);
    expect(() => dataset.mask(0)).toThrow(message);
  });

  it('finds the images that are missing', () => {
    writeFileSync(join(folder, 'a.png'), '');
    const images = [1, 2].map((id) => ({ id, width: 9, height: 9, file_name: id === 1 ? 'a.png' : 'b.png' }));
    expect(parse(smallTruth([], { images })).missingImages(folder)).toEqual([1]);
    const nameless = parse(smallTruth([], { images: [{ id: 3, width: 9, height: 9 }] }));
    expect(() => nameless.imagePath(folder, 0)).toThrow(/image 3: there is no "file_name"/);
  });
});
