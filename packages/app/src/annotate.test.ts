import { createImage, type RgbImage } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import { annotated, classColour } from './annotate.ts';

const GREY = [90, 90, 90] as const;

function pixel({ width, data }: RgbImage, y: number, x: number): number[] {
  return [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
}

describe('classColour', () => {
  it('differs between all classes of COCO', () => {
    const colours = new Set(Array.from({ length: 80 }, (_, index) => classColour(index).join()));
    expect(colours.size).toBe(80);
  });
});

describe('annotated', () => {
  const image = createImage({ height: 10, width: 20 }, GREY);

  it('enlarges small images, shrinks large ones and leaves the given one as it is', async () => {
    const before = image.data.slice();
    const small = await annotated(image, [{ label: 'a', index: 0, box: [2, 2, 18, 8] }]);
    expect([small.width, small.height]).toEqual([640, 320]);
    expect(image.data).toEqual(before);
    const large = await annotated(createImage({ height: 1000, width: 4000 }), []);
    expect([large.width, large.height]).toEqual([1600, 400]);
    const asked = await annotated(image, [], { side: 100 });
    expect([asked.width, asked.height]).toEqual([100, 50]);
  });

  it('blends a mask half over the image, with an outline of the full colour, and nothing outside', async () => {
    const mask = new Uint8Array(200);
    for (let y = 2; y < 8; y++) mask.fill(1, y * 20 + 10, y * 20 + 18);
    const object = { label: 'a', index: 3, box: [10, 2, 18, 8], mask: () => mask };
    const picture = await annotated(image, [object]);
    const colour = classColour(3);
    expect(pixel(picture, 160, 448)).toEqual(colour.map((value) => Math.round(90 + (value - 90) * 0.5)));
    expect(pixel(picture, 160, 200)).toEqual([...GREY]);
    expect(pixel(picture, 160, 320)).toEqual([...colour]);
  });

  it('draws the frame of a box at its place, also of one without area', async () => {
    const boxes = [
      [5, 5, 10, 9],
      [15, 5, 15, 5],
    ];
    const picture = await annotated(
      image,
      boxes.map((box, index) => ({ label: 'a', index, box })),
    );
    expect(pixel(picture, 200, 160)).toEqual([...classColour(0)]);
    expect(pixel(picture, 200, 240)).toEqual([...GREY]);
    expect(pixel(picture, 160, 480)).toEqual([...classColour(1)]);
  });

  it('moves the label of a second object on the same place', async () => {
    const box = [4, 4, 12, 9];
    const both = await annotated(image, [
      { label: 'first', index: 0, box },
      { label: 'second', index: 1, box },
    ]);
    const rowsOf = (index: number) => {
      const colour = classColour(index).join();
      let count = 0;
      for (let y = 0; y < both.height; y++) if (pixel(both, y, 131).join() === colour) count++;
      return count;
    };
    expect(rowsOf(0)).toBeGreaterThan(5);
    expect(rowsOf(1)).toBeGreaterThan(5);
  });
});
