import { createImage, type RgbImage } from '@as-mlp/data';
import { expect, it } from 'vitest';
import { overlaid } from './overlay.ts';

const RED = [200, 0, 0] as const;
const BLUE = [0, 0, 200] as const;

const pixel = ({ width, data }: RgbImage, y: number, x: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

it('tints every pixel with its class, draws a line between classes, and leaves other labels alone', () => {
  const image = createImage({ height: 2, width: 4 }, [100, 100, 100]);
  const labels = { height: 2, width: 4, data: Uint8Array.of(0, 0, 1, 255, 0, 0, 1, 255) };
  const picture = overlaid(image, labels, [RED, BLUE], { side: 8, cover: 0.5 });
  expect([picture.height, picture.width]).toEqual([4, 8]);
  expect(pixel(picture, 0, 0)).toEqual([150, 50, 50]);
  expect(pixel(picture, 3, 3)).toEqual([75, 25, 25]);
  expect(pixel(picture, 3, 4)).toEqual([50, 50, 150]);
  expect(pixel(picture, 2, 7)).toEqual([100, 100, 100]);
  expect(image.data.every((value) => value === 100)).toBe(true);
});
