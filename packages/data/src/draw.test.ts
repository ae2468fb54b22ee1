import { describe, expect, it } from 'vitest';
import { drawLabels, drawMask, fillRectangle, paste, readableOn } from './draw.ts';
import { createImage, type Region, type RgbImage } from './image.ts';

/** Bounds of the pixels that are not black. */
function painted(image: RgbImage): Region {
  const rows: number[] = [];
  const columns: number[] = [];
  for (let i = 0; i < image.data.length; i += 3) {
    if (image.data[i] || image.data[i + 1] || image.data[i + 2]) {
      rows.push(Math.floor(i / 3 / image.width));
      columns.push((i / 3) % image.width);
    }
  }
  const top = Math.min(...rows);
  const left = Math.min(...columns);
  return { top, left, height: Math.max(...rows) - top + 1, width: Math.max(...columns) - left + 1 };
}

describe('fillRectangle', () => {
  it('paints what lies inside', () => {
    const image = createImage({ height: 6, width: 8 });
    fillRectangle(image, { top: -2, left: 5, height: 4, width: 10 }, [9, 8, 7]);
    expect(painted(image)).toEqual({ top: 0, left: 5, height: 2, width: 3 });
    expect([...image.data.subarray(5 * 3, 6 * 3)]).toEqual([9, 8, 7]);
    fillRectangle(image, { top: 0, left: 0, height: 6, width: 8 }, [0, 0, 0]);
    fillRectangle(image, { top: 6, left: 0, height: 3, width: 3 }, [9, 9, 9]);
    expect(Math.max(...image.data)).toBe(0);
  });
});

describe('paste', () => {
  it('cuts off what lies outside', () => {
    const source = createImage({ height: 3, width: 3 });
    source.data.forEach((_, i) => {
      source.data[i] = 1 + i;
    });
    const image = createImage({ height: 4, width: 4 });
    paste(image, source, -1, 2);
    expect(painted(image)).toEqual({ top: 0, left: 2, height: 2, width: 2 });
    expect([...image.data.subarray(6, 12)]).toEqual([...source.data.subarray(9, 15)]);
    const before = image.data.slice();
    paste(image, source, 0, 4);
    paste(image, source, -3, 0);
    expect(image.data).toEqual(before);
  });
});

describe('drawMask', () => {
  it('blends by coverage', () => {
    const image = createImage({ height: 1, width: 3 }, [100, 100, 100]);
    drawMask(image, { height: 1, width: 4, data: Uint8Array.of(255, 0, 255, 51) }, 0, -1, [200, 0, 100]);
    expect([...image.data]).toEqual([100, 100, 100, 200, 0, 100, 120, 80, 100]);
  });
});

describe('drawLabels', () => {
  it('draws text on its background, and moves it inside', async () => {
    const image = createImage({ height: 40, width: 160 });
    await drawLabels(image, [{ text: 'cat 99 %', top: 10, left: 20, colour: [0, 0, 200] }], { size: 12 });
    const { top, left, height, width } = painted(image);
    expect([top, left]).toEqual([10, 20]);
    expect(height).toBeGreaterThan(12);
    expect(width).toBeGreaterThan(50);
    const whitest = Math.max(...image.data.filter((_, i) => i % 3 === 0));
    expect(whitest).toBeGreaterThan(200);

    const moved = createImage({ height: 40, width: 160 });
    await drawLabels(moved, [{ text: 'cat 99 %', top: 500, left: 500, colour: [0, 0, 200] }], { size: 12 });
    expect(painted(moved)).toEqual({ top: 40 - height, left: 160 - width, height, width });
  });
});

describe('readableOn', () => {
  it('is black on light colours and white on dark ones', () => {
    expect(readableOn([255, 255, 0])).toEqual([0, 0, 0]);
    expect(readableOn([0, 0, 255])).toEqual([255, 255, 255]);
  });
});
