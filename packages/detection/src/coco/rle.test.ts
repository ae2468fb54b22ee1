import { describe, expect, it } from 'vitest';
import { type MaskAnswers, readCoco } from './coco.fixture.ts';
import {
  compressCounts,
  decodeMask,
  decompressCounts,
  encodeMask,
  rleArea,
  rleBox,
  rleFromEdges,
  rleFromJson,
  rleToJson,
} from './rle.ts';

const { rle: cases } = readCoco<MaskAnswers>('masks.json');
const pixels = (rows: readonly string[]) => Uint8Array.from(rows.join(''), Number);

describe('run lengths', () => {
  it('go down the columns and start with zeros', () => {
    const size = { height: 2, width: 3 };
    expect([...encodeMask(Uint8Array.of(0, 1, 1, 0, 1, 0), size).counts]).toEqual([2, 3, 1]);
    expect([...encodeMask(Uint8Array.of(9, 9, 9, 9, 9, 9), size).counts]).toEqual([0, 6]);
    expect([...encodeMask(new Uint8Array(6), size).counts]).toEqual([6]);
  });

  it.each(cases.map((one, i) => [i, one] as const))('are those of pycocotools: %i', (_, one) => {
    const [height, width] = one.size;
    const rle = rleFromJson({ size: one.size, counts: one.compressed });
    expect([...rle.counts]).toEqual(one.counts);
    expect(compressCounts(one.counts)).toBe(one.compressed);
    expect(rleToJson(rleFromJson({ size: one.size, counts: one.counts }))).toEqual({
      size: one.size,
      counts: one.compressed,
    });
    expect(rleArea(rle)).toBe(one.area);
    const [x, y, w, h] = one.bbox;
    expect(rleBox(rle)).toEqual([x, y, x + w, y + h]);
    if (one.rows) expect(decodeMask(rle)).toEqual(pixels(one.rows));
    expect(encodeMask(decodeMask(rle), { height, width })).toEqual(rle);
  });

  it('come from a part of the image as from the whole', () => {
    const size = { height: 4, width: 5 };
    const whole = new Uint8Array(20);
    for (const at of [6, 7, 11, 12]) whole[at] = 1;
    const region = { top: 1, left: 1, height: 2, width: 2 };
    expect(encodeMask(new Uint8Array(4).fill(1), size, region)).toEqual(encodeMask(whole, size));
    const corner = { top: 2, left: 3, height: 2, width: 2 };
    expect([...encodeMask(new Uint8Array(4).fill(1), size, corner).counts]).toEqual([14, 2, 2, 2]);
    expect(() => encodeMask(new Uint8Array(4), size, { ...corner, left: 4 })).toThrow(/does not fit/);
    expect(() => encodeMask(new Uint8Array(3), size)).toThrow(/needs 20 bytes and has 3/);
  });

  it('come from edges, of which two at one place cancel', () => {
    const size = { height: 5, width: 2 };
    expect([...rleFromEdges([2, 4, 4, 6], 4, size).counts]).toEqual([2, 4, 4]);
    expect([...rleFromEdges([3, 3], 2, size).counts]).toEqual([10]);
    expect([...rleFromEdges([0, 10], 2, size).counts]).toEqual([0, 10]);
  });

  it('need a box of a column that a run crosses, and none when empty', () => {
    const size = { height: 5, width: 2 };
    expect(rleBox({ ...size, counts: Uint32Array.of(4, 2, 4) })).toEqual([0, 0, 2, 5]);
    expect(rleBox({ ...size, counts: Uint32Array.of(10, 0) })).toEqual([0, 0, 0, 0]);
  });

  it('reach through the largest counts', () => {
    const counts = [2 ** 31 - 1, 5, 2 ** 30, 2 ** 31 - 2, 0, 1];
    expect([...decompressCounts(compressCounts(counts))]).toEqual(counts);
  });
});

describe('malformed masks', () => {
  it.each([
    ['a character out of range', 'ab~'],
    ['another alphabet', 'Ł0'],
    ['an end within a number', '0a'],
    ['a negative count', 'M'],
    ['a number without end', 'oooooooooo0'],
  ])('are refused: %s', (_, counts) => {
    expect(() => rleFromJson({ size: [10, 10], counts }, 'results.json, result number 3')).toThrow(
      /^results\.json, result number 3: the compressed mask is malformed at character/,
    );
  });

  it.each([
    [{ size: [10, 10], counts: [5, 5] }, /sum to 10, not to 10·10 = 100/],
    [{ size: [10, 10], counts: '' }, /sum to 0/],
    [{ size: [10, 10], counts: [105, -5] }, /count 2 of the mask is -5/],
    [{ size: [10, 10], counts: [99.5, 0.5] }, /count 1 of the mask is 99.5/],
    [{ size: [0, 10], counts: [] }, /0×10/],
    [{ size: [1e6, 1e6], counts: [1e12] }, /no size of a mask/],
    [{ size: [10], counts: [10] }, /no run-length mask/],
    [{ counts: '0' }, /no run-length mask/],
    ['text', /no run-length mask/],
    [null, /no run-length mask/],
  ])('are refused: %j', (json, message) => {
    expect(() => rleFromJson(json)).toThrow(message);
  });

  it('are refused at another size than their image', () => {
    expect(() => rleFromJson({ size: [2, 3], counts: [6] }, 'x', { height: 3, width: 2 })).toThrow(
      /the mask has 2×3 pixels and its image 3×2/,
    );
  });
});
