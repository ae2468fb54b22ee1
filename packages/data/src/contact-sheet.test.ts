import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { contactSheet } from './contact-sheet.ts';
import { createImage, type Rgb, type RgbImage } from './image.ts';

const tile = (height: number, width: number, colour: Rgb, caption = 'x') => ({
  image: createImage({ height, width }, colour),
  caption,
  colour: [10, 20, 30] as const,
});

const at = ({ data, width }: RgbImage, y: number, x: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('contactSheet', () => {
  it('lays tiles out row by row, each picture in the middle of its square', async () => {
    const sheet = await contactSheet(
      [tile(10, 10, [200, 0, 0]), tile(40, 80, [0, 200, 0]), tile(300, 100, [0, 0, 200])],
      { columns: 2, tileSize: 60 },
    );
    expect(sheet.width).toBe(2 * 60 + 3 * 8);
    const row = (sheet.height - 8) / 2;
    expect(Number.isInteger(row)).toBe(true);
    expect(at(sheet, 8, 8)).toEqual([200, 0, 0]);
    expect(at(sheet, 8 + 30, 76 + 30)).toEqual([0, 200, 0]);
    expect(at(sheet, 8 + 2, 76 + 30)).not.toEqual([0, 200, 0]);
    expect(at(sheet, 8 + row + 30, 8 + 30)).toEqual([0, 0, 200]);
    expect(at(sheet, 8 + 60, 8)).toEqual([10, 20, 30]);
    expect(at(sheet, 0, 0)).toEqual([255, 255, 255]);
    expect(at(sheet, 8 + row + 30, 76 + 30)).toEqual([255, 255, 255]);
  });

  it('shortens captions to their tile', async () => {
    const caption = (text: string) => contactSheet([tile(8, 8, [0, 0, 0], text)], { tileSize: 64 });
    const long = await caption('a very long class name that cannot fit');
    expect(long.width).toBe(64 + 16);
    const captionRows = long.data.subarray((8 + 64) * long.width * 3);
    const paper = [0, 7, long.width - 8, long.width - 1].map((x) => [
      ...captionRows.subarray(x * 3, x * 3 + 3),
    ]);
    expect(paper).toEqual(paper.map(() => [255, 255, 255]));
    expect(long.data).not.toEqual((await caption('')).data);
  });

  it('refuses what cannot be laid out', async () => {
    await expect(contactSheet([])).rejects.toThrow(AsMlpError);
    await expect(contactSheet([tile(8, 8, [0, 0, 0])], { columns: 0 })).rejects.toThrow(AsMlpError);
    await expect(contactSheet([tile(8, 8, [0, 0, 0])], { tileSize: 5 })).rejects.toThrow(AsMlpError);
  });
});
