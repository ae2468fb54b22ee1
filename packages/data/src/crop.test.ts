import { AsMlpError } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { centerCrop, centerRegion, crop, flipHorizontal, pad } from './crop.ts';
import { pattern } from './golden.fixture.ts';
import { createImage } from './image.ts';

const pixel = (image: { width: number; data: Uint8Array }, y: number, x: number) => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
];

describe('crop', () => {
  it('copies a rectangle', () => {
    const image = pattern(6, 8);
    const part = crop(image, { top: 2, left: 3, height: 3, width: 4 });
    expect([part.height, part.width]).toEqual([3, 4]);
    for (let y = 0; y < 3; y++) {
      for (let x = 0; x < 4; x++) expect(pixel(part, y, x)).toEqual(pixel(image, y + 2, x + 3));
    }
  });

  it.each([
    { top: -1, left: 0, height: 2, width: 2 },
    { top: 0, left: 7, height: 2, width: 2 },
    { top: 0, left: 0, height: 0, width: 2 },
    { top: 0.5, left: 0, height: 2, width: 2 },
    { top: 0, left: 0, height: 7, width: 2 },
  ])('refuses %o in 6×8', (region) => {
    expect(() => crop(pattern(6, 8), region)).toThrow(AsMlpError);
  });
});

describe('centerRegion', () => {
  it.each([
    [256, 341, 16, 58],
    [256, 343, 16, 60],
    [225, 227, 0, 2],
    [224, 224, 0, 0],
    [226, 229, 1, 2],
  ])('in %d×%d lies at %d, %d: half pixels round to even', (height, width, top, left) => {
    const crop224 = { height: 224, width: 224 };
    expect(centerRegion({ height, width }, crop224)).toEqual({ top, left, ...crop224 });
  });

  it('refuses a crop larger than the image', () => {
    expect(() => centerCrop(pattern(5, 9), { height: 6, width: 3 })).toThrow(/does not lie inside 5×9/);
  });
});

describe('flipHorizontal', () => {
  it('mirrors every row, and twice changes nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (height, width) => {
        const image = pattern(height, width);
        const flipped = flipHorizontal(image);
        for (let x = 0; x < width; x++)
          expect(pixel(flipped, height - 1, x)).toEqual(pixel(image, height - 1, width - 1 - x));
        expect(flipHorizontal(flipped)).toEqual(image);
      }),
    );
  });
});

describe('pad', () => {
  it('surrounds the image with a colour', () => {
    const image = pattern(2, 3);
    const padded = pad(image, { top: 1, right: 2, bottom: 3, left: 4 }, [1, 2, 3]);
    expect([padded.height, padded.width]).toEqual([6, 9]);
    expect(crop(padded, { top: 1, left: 4, height: 2, width: 3 })).toEqual(image);
    const frame = createImage({ height: 6, width: 9 }, [1, 2, 3]);
    for (const [y, x] of [
      [0, 0],
      [0, 8],
      [5, 0],
      [5, 8],
      [1, 3],
      [1, 7],
      [3, 4],
    ] as const) {
      expect(pixel(padded, y, x)).toEqual(pixel(frame, y, x));
    }
  });

  it('adds nothing, or black to the right and below, unless told', () => {
    const image = pattern(2, 3);
    expect(pad(image, {})).toEqual(image);
    expect(pixel(pad(image, { right: 1, bottom: 1 }), 2, 3)).toEqual([0, 0, 0]);
    expect(() => pad(image, { left: -1 })).toThrow(AsMlpError);
  });
});
