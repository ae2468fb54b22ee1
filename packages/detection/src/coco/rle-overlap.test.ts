import { describe, expect, it } from 'vitest';
import { type MaskAnswers, readCoco } from './coco.fixture.ts';
import { compressCounts, type Rle, rleFromJson } from './rle.ts';
import { mergeRles, rleIou, xywhIou } from './rle-overlap.ts';

const answers = readCoco<MaskAnswers>('masks.json');
const mask = (index: number): Rle => {
  const { size, compressed } = answers.rle[index]!;
  return rleFromJson({ size, counts: compressed });
};
const plain = (counts: number[]): Rle => rleFromJson({ size: [4, 5], counts });

describe('overlap', () => {
  it('of masks is that of pycocotools', () => {
    const { dt, gt, iscrowd, expected } = answers.iou;
    expect([...rleIou(dt.map(mask), gt.map(mask), iscrowd)]).toEqual(expected.flat());
  });

  it('of boxes is that of pycocotools', () => {
    const { dt, gt, iscrowd, expected } = answers.box_iou;
    expect([...xywhIou(Float64Array.from(dt.flat()), Float64Array.from(gt.flat()), iscrowd)]).toEqual(
      expected.flat(),
    );
  });

  it('counts a crowd by the part of the detection that lies in it', () => {
    const [detected, truth] = [plain([0, 4, 16]), plain([2, 10, 8])];
    expect([...rleIou([detected], [truth, truth], [0, 1])]).toEqual([2 / 12, 2 / 4]);
  });

  it('is right with runs of no length', () => {
    const [a, b] = [plain([2, 2, 0, 0, 0, 4, 12]), plain([4, 0, 0, 4, 12])];
    expect([...rleIou([a], [b], [0])]).toEqual([4 / 6]);
  });

  it('is nothing for empty masks and for boxes without size', () => {
    expect([...rleIou([plain([20])], [plain([20]), plain([0, 20])], [0, 1])]).toEqual([0, 0]);
    const boxes = Float64Array.of(1, 1, 0, 5, 3, 3, -2, -2);
    expect([...xywhIou(boxes, boxes, [0, 0])]).toEqual([0, 0, 0, 0]);
  });

  it('is refused between sizes', () => {
    const other = rleFromJson({ size: [5, 4], counts: [20] });
    expect(() => rleIou([plain([20])], [other], [0])).toThrow(/4×5 and 5×4/);
    expect(() => mergeRles([plain([20]), other])).toThrow(/4×5 and 5×4/);
    expect(() => mergeRles([])).toThrow(/no masks/);
  });
});

describe('merging', () => {
  it.each(answers.merge.map((one, i) => [i, one] as const))('is that of pycocotools: %i', (_, one) => {
    const merged = mergeRles(one.inputs.map(mask), one.intersect ? 'intersection' : 'union');
    expect(compressCounts(merged.counts)).toBe(one.compressed);
  });
});
