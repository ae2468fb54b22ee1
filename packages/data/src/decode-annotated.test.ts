import { describe, expect, it } from 'vitest';
import { decodeImage } from './decode.ts';
import { decodeAnnotated } from './decode-annotated.ts';
import { goldenPath } from './golden.fixture.ts';

describe('decodeAnnotated', () => {
  const path = goldenPath('kinds/exif-6.jpg');

  it('turns an image as its EXIF orientation says, unless only the stored one has the size of its annotations', async () => {
    const stored = await decodeImage(path);
    const turned = await decodeImage(path, { orient: true });
    expect(stored.height).not.toBe(stored.width);
    expect(await decodeAnnotated(path, turned)).toEqual(turned);
    expect(await decodeAnnotated(path, stored)).toEqual(stored);
  });

  it('refuses an image of another size', async () => {
    await expect(decodeAnnotated(path, { height: 5, width: 7 })).rejects.toThrow(/annotations are for 7×5/);
  });
});
