import { createImage, type Rgb, type RgbImage } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import { captioned, confusionPicture, thumbnail } from './pictures.ts';

const RED: Rgb = [200, 10, 20];
const pixel = ({ data, width }: RgbImage, y: number, x: number) => [
  ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
];
const sizeOf = ({ height, width }: RgbImage) => [height, width];

describe('thumbnail', () => {
  it('shrinks to the side and keeps the shape', () => {
    const small = thumbnail(createImage({ height: 400, width: 1000 }, RED), 200);
    expect(sizeOf(small)).toEqual([80, 200]);
    expect(pixel(small, 40, 100)).toEqual(RED);
  });

  it('leaves small images as they are', () => {
    const image = createImage({ height: 200, width: 28 });
    expect(thumbnail(image, 200)).toBe(image);
  });
});

describe('captioned', () => {
  it('puts a panel of lines below the image, bars as long as their shares', async () => {
    const image = createImage({ height: 300, width: 400 }, RED);
    const lines = [{ text: 'one', share: 0.5 }, { text: 'two' }];
    const picture = await captioned(image, lines);
    expect(sizeOf(picture)).toEqual([300 + 2 * 18 + 8, 400]);
    expect(pixel(picture, 299, 0)).toEqual(RED);
    expect(pixel(picture, 300, 0)).toEqual([24, 26, 30]);
    expect(pixel(picture, 306, 199)).toEqual([46, 92, 150]);
    expect(pixel(picture, 306, 200)).toEqual([24, 26, 30]);
    expect(pixel(picture, 324, 0)).toEqual([24, 26, 30]);
  });

  it('enlarges digits with hard pixels and shrinks photos', async () => {
    const digit = createImage({ height: 2, width: 2 });
    digit.data.set([255, 255, 255], 3);
    const large = await captioned(digit, []);
    expect(sizeOf(large)).toEqual([328, 320]);
    expect([pixel(large, 0, 159), pixel(large, 0, 160)]).toEqual([
      [0, 0, 0],
      [255, 255, 255],
    ]);
    expect(sizeOf(await captioned(createImage({ height: 1024, width: 4096 }), []))).toEqual([264, 1024]);
  });
});

describe('confusionPicture', () => {
  it('shades rows by their shares: blue where right, red where wrong', async () => {
    const matrix = [
      [3, 1],
      [0, 0],
    ];
    const picture = await confusionPicture(matrix, ['a', 'b']);
    expect(sizeOf(picture)).toEqual([198, 198]);
    // 245 + (channel - 245) · √share, with shares 3/4 and 1/4.
    expect(pixel(picture, 111, 111)).toEqual([61, 121, 182]);
    expect(pixel(picture, 111, 151)).toEqual([212, 135, 144]);
    expect(pixel(picture, 151, 111)).toEqual([245, 245, 245]);
  });

  it('leaves names out where there are too many', async () => {
    const matrix = Array.from({ length: 41 }, () => new Array<number>(41).fill(1));
    const picture = await confusionPicture(matrix, []);
    expect(sizeOf(picture)).toEqual([8 + 41 * 19 + 8, 8 + 41 * 19 + 8]);
  });
});
