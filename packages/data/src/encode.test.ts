import { describe, expect, it } from 'vitest';
import { decodeImage } from './decode.ts';
import { encodeJpeg, encodePng } from './encode.ts';
import { pattern } from './golden.fixture.ts';
import { createImage } from './image.ts';

describe('encodePng', () => {
  it('loses nothing', async () => {
    for (const image of [pattern(1, 1), pattern(31, 17), createImage({ height: 4, width: 6 }, [9, 9, 9])]) {
      expect(await decodeImage(await encodePng(image))).toEqual(image);
    }
  });
});

describe('encodeJpeg', () => {
  it('keeps a smooth image nearly, better at higher quality', async () => {
    const image = createImage({ height: 32, width: 32 });
    for (let i = 0; i < image.data.length; i++)
      image.data[i] = 80 + Math.round((i / image.data.length) * 100);
    const loss = async (quality: number) => {
      const { data } = await decodeImage(await encodeJpeg(image, { quality }));
      return data.reduce((sum, value, i) => sum + Math.abs(value - image.data[i]!), 0) / data.length;
    };
    expect(await loss(95)).toBeLessThan(2);
    expect(await loss(5)).toBeGreaterThan(await loss(95));
  });
});
