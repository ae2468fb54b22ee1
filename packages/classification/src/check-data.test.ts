import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createImage, encodePng } from '@as-mlp/data';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkClassificationData } from './check-data.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'images-'));
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), content);
}

describe('checkClassificationData', () => {
  it('counts images of each class and names broken files', async () => {
    const image = (height: number, width: number) => encodePng(createImage({ height, width }));
    await put('train/cat/a.png', await image(8, 10));
    await put('train/cat/b.png', (await image(40, 50)).slice(0, 60));
    await put('train/dog/c.png', await image(12, 30));
    await put('val/dog/d.png', await image(9, 9));
    const [train, val] = await checkClassificationData(root, { workers: 0 });
    expect(train).toMatchObject({
      images: 3,
      objects: 2,
      empty: 0,
      height: { min: 8, median: 12, max: 12 },
      width: { min: 10, median: 30, max: 30 },
      classes: [
        { name: 'cat', images: 1 },
        { name: 'dog', images: 1 },
      ],
    });
    expect(train!.faults).toEqual([expect.stringMatching(/b\.png.*damaged or cut off/)]);
    expect(val).toMatchObject({ images: 1, classes: [{ images: 0 }, { images: 1 }], faults: [] });
  });

  it('names a part that cannot be used', async () => {
    await put('train/cat/a.png', await encodePng(createImage({ height: 8, width: 8 })));
    await put('val/cow/a.png', await encodePng(createImage({ height: 8, width: 8 })));
    const [train, val] = await checkClassificationData(root, { workers: 1 });
    expect(train!.faults).toEqual([]);
    expect(val!.faults).toEqual([expect.stringContaining('"cow" is none of the 1 classes')]);
    const missing = await checkClassificationData(join(root, 'nowhere'));
    expect(missing.map(({ faults }) => faults.length)).toEqual([1, 1]);
  });
});
