import { describe, expect, it } from 'vitest';
import { type MaskAnswers, readCoco } from './coco.fixture.ts';
import { boxRle, polygonRle } from './polygon.ts';
import { compressCounts, decodeMask, rleArea } from './rle.ts';
import { mergeRles } from './rle-overlap.ts';

const answers = readCoco<MaskAnswers>('masks.json');
const sizeOf = ([height, width]: readonly [number, number]) => ({ height, width });

describe('polygonRle', () => {
  it.each(answers.polygons.map((one) => [one.note, one] as const))('is that of pycocotools: %s', (_, one) => {
    const parts = one.segmentation.map((points) => polygonRle(points, sizeOf(one.size)));
    expect(parts.map(({ counts }) => compressCounts(counts))).toEqual(one.parts);
    expect(compressCounts(mergeRles(parts).counts)).toBe(one.union);
  });

  it('fills the pixels whose middles lie inside', () => {
    const mask = decodeMask(polygonRle([1, 0, 4, 0, 4, 2, 1, 2], { height: 3, width: 5 }));
    expect([...mask].join('')).toBe('011100111000000');
    expect([...decodeMask(polygonRle([0, 0, 1, 0, 1, 1, 0, 1], { height: 1, width: 1 }))]).toEqual([1]);
  });

  it('takes corners far away as it takes near ones', () => {
    const size = { height: 30, width: 40 };
    expect(rleArea(polygonRle([-1e8, -1e8, 1e8, -1e8, 1e8, 1e8, -1e8, 1e8], size))).toBe(1200);
    expect(rleArea(polygonRle([1e7, 0, 1e7, 5, 2e7, 9], size))).toBe(0);
  });

  it('covers nothing with fewer than three corners', () => {
    const size = { height: 10, width: 10 };
    for (const points of [[], [3, 3], [1, 1, 8, 8]]) expect(rleArea(polygonRle(points, size))).toBe(0);
  });

  it('refuses half a corner and what is no number', () => {
    const size = { height: 10, width: 10 };
    expect(() => polygonRle([1, 1, 8, 8, 3], size)).toThrow(/without y/);
    expect(() => polygonRle([1, 1, Number.NaN, 8, 3, 4], size)).toThrow(/value 3 of a polygon is NaN/);
  });
});

describe('boxRle', () => {
  it.each(answers.box_raster.map((one, i) => [i, one] as const))('is that of pycocotools: %i', (_, one) => {
    const [x, y, w, h] = one.box;
    expect(compressCounts(boxRle([x, y, x + w, y + h], sizeOf(one.size)).counts)).toBe(one.compressed);
  });
});
