import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDetectionData } from './check-data.ts';
import { openScenes, writeDigitScenes } from './data/digit-scenes.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'scenes-'));
  await writeDigitScenes(root, 'train', 3);
  await writeDigitScenes(root, 'val', 2);
});
afterAll(() => rm(root, { recursive: true }));

describe('checkDetectionData', () => {
  it('finds nothing wrong with the scenes', async () => {
    const [train, val] = await checkDetectionData(root, { workers: 1 });
    const { height } = openScenes('train', 1).scene(0).image;
    expect(train).toMatchObject({ images: 3, empty: 0, faults: [], height: { min: height, max: height } });
    expect(val).toMatchObject({ images: 2, faults: [] });
    expect(train!.objects).toBe(train!.classes.reduce((sum, { objects }) => sum + objects, 0));
    expect(train!.objects).toBeGreaterThan(3);
  });

  it('names files, sizes, boxes, masks and strangers that are wrong', async () => {
    const path = join(root, 'annotations', 'instances_val.json');
    const text = await readFile(path, 'utf8');
    const file = JSON.parse(text);
    file.images[0].width = 100;
    file.images.push({ id: 90, file_name: 'gone.png', height: 64, width: 64 });
    const like = { image_id: 2, category_id: 1, area: 4, iscrowd: 0 };
    file.annotations.push(
      { ...like, id: 901, bbox: [1, 1, 0, 5] },
      { ...like, id: 902, bbox: [500, 1, 5, 5] },
      { ...like, id: 903, bbox: [1, 1, 5, 5], segmentation: { size: [1, 1], counts: 'x' } },
      { ...like, id: 904, bbox: [1, 1, 5, 5], category_id: 77 },
      { ...like, id: 905, bbox: [1, 1, 5, 5], image_id: 78 },
    );
    await writeFile(path, JSON.stringify(file));
    try {
      const val = (await checkDetectionData(root, { workers: 0 }))[1]!;
      expect(val.images).toBe(3);
      const wanted = [
        /instances_val\.json: 1 annotation of images that the file does not list/,
        /instances_val\.json: 1 annotation of categories that the file does not list/,
        /000000\.png.*: the image is (\d+)×\1 pixels, and its annotations are for 100×\1\./,
        /000001\.png: annotation 901 has a box of 0×5 pixels\.$/,
        /000001\.png: annotation 902 has a box outside the image\.$/,
        /000001\.png: annotation 903 has a mask that cannot be read \(/,
        /gone\.png.*there is no such file/,
      ];
      for (const pattern of wanted) expect(val.faults.join('\n')).toMatch(new RegExp(pattern, 'm'));
    } finally {
      await writeFile(path, text);
    }
  });
});
