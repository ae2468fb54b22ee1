import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listImages } from './list-images.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'as-mlp-data-'));
  await mkdir(join(folder, 'below.png'));
  await mkdir(join(folder, 'empty'));
  const names = ['b.PNG', 'a10.jpg', 'a2.jpeg', 'Ä.webp', 'notes.txt', '.hidden.png', 'c.tif'];
  for (const name of names) await writeFile(join(folder, name), 'x');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe('listImages', () => {
  it('lists the images directly in a folder by the bytes of their names', async () => {
    const names = ['a10.jpg', 'a2.jpeg', 'b.PNG', 'c.tif', 'Ä.webp'];
    expect(await listImages([folder])).toEqual(names.map((name) => join(folder, name)));
  });

  it('keeps the order of its arguments and takes files as they are', async () => {
    const files = [join(folder, 'notes.txt'), join(folder, '.hidden.png'), join(folder, 'a2.jpeg')];
    expect(await listImages(files)).toEqual(files);
    expect((await listImages([files[0]!, folder]))[0]).toBe(files[0]);
    expect(await listImages([])).toEqual([]);
  });

  it('names what does not exist and folders without images', async () => {
    await expect(listImages([join(folder, 'nothing')])).rejects.toMatchObject({
      kind: 'input',
      message: `${join(folder, 'nothing')}: there is no such file or folder. Check the path.`,
    });
    await expect(listImages([join(folder, 'empty')])).rejects.toThrow(/there are no images in this folder/);
  });
});
