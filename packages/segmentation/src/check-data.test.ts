import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createImage, encodeLabels, encodePng } from '@as-mlp/data';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSegmentationData } from './check-data.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'maps-'));
  await writeFile(join(root, 'classes.txt'), 'ground\nsky\n');
});
afterEach(() => rm(root, { recursive: true }));

/** An image of 1×4 pixels with these labels. */
async function put(split: string, name: string, labels: readonly number[]): Promise<void> {
  for (const kind of ['images', 'labels']) await mkdir(join(root, kind, split), { recursive: true });
  const image = await encodePng(createImage({ height: 1, width: 4 }));
  const map = await encodeLabels({ height: 1, width: labels.length, data: Uint8Array.from(labels) });
  await writeFile(join(root, 'images', split, `${name}.png`), image);
  await writeFile(join(root, 'labels', split, `${name}.png`), map);
}

describe('checkSegmentationData', () => {
  it('counts images with each class, and names labels and sizes that are wrong', async () => {
    await put('train', 'a', [0, 0, 1, 255]);
    await put('train', 'b', [1, 1, 1, 1]);
    await put('train', 'c', [255, 255, 255, 255]);
    await put('train', 'd', [0, 1, 2, 0]);
    await put('train', 'e', [0, 1, 0]);
    const [train, val] = await checkSegmentationData(root, { workers: 0 });
    expect(train).toMatchObject({
      images: 5,
      empty: 1,
      width: { min: 4, median: 4, max: 4 },
      classes: [
        { name: 'ground', images: 1 },
        { name: 'sky', images: 2 },
      ],
    });
    expect(train!.faults).toEqual([
      expect.stringMatching(/d\.png.*it holds the label 2, and there are 2 classes/),
      expect.stringMatching(/e\.png.*the image is 4×1 pixels, and its annotations are for 3×1/),
    ]);
    expect(val!.faults).toEqual([expect.stringContaining('none of the folders')]);
  });
});
