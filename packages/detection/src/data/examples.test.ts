import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeMask } from '../coco/rle.ts';
import { trainingObjects } from '../coco/training-objects.ts';
import { parseDetectionRecipe } from '../recipe.ts';
import { findCocoFolder } from './coco-folder.ts';
import { openScenes, writeDigitScenes } from './digit-scenes.ts';
import { openExamples, openHeldOut } from './examples.ts';
import { variedExamples, wholeMask } from './varied-examples.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'scenes-'));
  await writeDigitScenes(root, 'train', 3);
  await writeDigitScenes(root, 'val', 2);
});
afterAll(() => rm(root, { recursive: true }));

describe('writeDigitScenes', () => {
  it('writes a COCO folder whose examples are those of the scenes in memory', async () => {
    const written = await openExamples(root);
    const inMemory = await openExamples('digit-scenes');
    expect(written.labels).toEqual(inMemory.labels);
    expect(written.sizes).toHaveLength(3);
    for (let index = 0; index < 3; index++) {
      expect(await written.load(index)).toEqual(await inMemory.load(index));
    }
    expect(written.name(1)).toBe('000001.png');
  });
});

describe('openHeldOut', () => {
  it('gives held-out images and their annotations', async () => {
    const { dataset, load } = await openHeldOut(root);
    expect(dataset.images).toHaveLength(2);
    const scene = openScenes('val').scene(1);
    expect(await load(1)).toEqual(scene.image);
    const { labels, boxes, annotations } = trainingObjects(dataset, 1);
    expect([...labels]).toEqual(scene.objects.map(({ label }) => label));
    const { left, top, width, height, mask } = scene.objects[0]!;
    expect([...boxes.subarray(0, 4)]).toEqual([left, top, left + width, top + height]);
    const area = decodeMask(dataset.mask(annotations[0]!)).reduce((sum, value) => sum + value, 0);
    expect(area).toBe(mask.reduce((sum, value) => sum + value, 0));
  });
});

describe('openHeldOut of a part', () => {
  it('takes the first images, with their annotations and no word about the others', async () => {
    const whole = (await openHeldOut(root, { split: 'train' })).dataset;
    const { dataset } = await openHeldOut(root, { split: 'train', limit: 2 });
    expect(dataset.images).toEqual(whole.images.slice(0, 2));
    expect(dataset.annotations.length).toBe(whole.annotationsOf(1)[1]);
    expect(dataset.notes).toEqual([]);
    expect((await openHeldOut('digit-scenes', { limit: 2 })).dataset.images).toHaveLength(2);
  });
});

describe('variedExamples', () => {
  const augmentation = { ...parseDetectionRecipe({}).augmentation, shortSides: [64], crop: 0 };

  it('is decided by the seed, and gives boxes around the masks', async () => {
    const take = async (seed: number) => {
      const all = [];
      for await (const one of variedExamples({ data: root, augmentation, count: 2, seed })) all.push(one);
      return all;
    };
    const [once, again, other] = [await take(1), await take(1), await take(4)];
    expect(once).toHaveLength(2);
    expect(again).toEqual(once);
    expect(other).not.toEqual(once);
    const { image, boxes, masks } = once[0]!;
    const mask = wholeMask(masks[0]!, image);
    const inside = [...mask.keys()].filter((i) => mask[i]);
    const columns = inside.map((i) => i % image.width);
    expect(Math.abs(Math.min(...columns) - boxes[0]!)).toBeLessThanOrEqual(1);
    expect(Math.abs(Math.max(...columns) + 1 - boxes[2]!)).toBeLessThanOrEqual(1);
  });
});

describe('findCocoFolder', () => {
  it('says what it looked for', () => {
    expect(() => findCocoFolder(join(root, 'train'), 'val')).toThrow(
      'there is neither annotations/instances_val2017.json nor annotations/instances_val.json',
    );
  });
});
