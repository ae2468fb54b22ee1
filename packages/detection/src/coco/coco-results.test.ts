import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cocoPath, type EvalAnswers, readCoco, smallTruth } from './coco.fixture.ts';
import { evaluateCoco } from './coco-eval.ts';
import { loadResults, toResults, writeResults } from './coco-results.ts';
import { DetectionCollector } from './detections.ts';
import { openCoco, parseCoco } from './open-coco.ts';
import { boxRle } from './polygon.ts';
import { rleArea, rleToJson } from './rle.ts';
import { reportCoco, scoreCoco, scoreDetections } from './score-coco.ts';

const dataset = parseCoco(smallTruth([{ segmentation: [[0, 0, 10, 0, 10, 10, 0, 10]] }]), 'gt.json');
const size = { height: 30, width: 40 };
const segmentation = rleToJson(boxRle([2, 3, 12, 9], size));
const result = { image_id: 7, category_id: 5, score: 0.5 };
const box = { ...result, bbox: [1, 2, 3, 4] };

describe('loadResults', () => {
  it('takes the area of the box where the first entry has one', async () => {
    const both = await loadResults([{ ...box, segmentation }, box], dataset);
    expect([...both.area]).toEqual([12, 12]);
    expect(rleArea(both.mask(0))).toBe(60);
    expect(both.mask(1)).toEqual(boxRle([1, 2, 4, 6], size));
  });

  it('takes area and box of the mask otherwise', async () => {
    const plain = { size: [30, 40], counts: [40, 20, 1140] };
    const polygon = [[0, 0, 4, 0, 4, 4, 0, 4]];
    const list = [
      { ...result, segmentation },
      { ...result, segmentation: plain, bbox: [] },
      { ...result, segmentation: polygon, bbox: [9, 9, 1, 1] },
    ];
    const masks = await loadResults(list, dataset);
    expect([...masks.area]).toEqual([60, 20, 16]);
    expect([...masks.xywh]).toEqual([2, 3, 10, 6, 1, 10, 1, 20, 9, 9, 1, 1]);
  });

  it('passes over unknown categories and takes an empty list', async () => {
    expect([...(await loadResults([{ ...box, category_id: 99 }, box], dataset)).label]).toEqual([-1, 0]);
    expect((await loadResults([], dataset)).length).toBe(0);
  });

  it.each([
    ['an unknown image', [box, { ...box, image_id: 8 }], /result number 2: image 8 is not in gt\.json/],
    ['no score', [{ ...box, score: undefined }], /result number 1: "score" is missing/],
    ['a score that is no number', [{ ...box, score: Number.NaN }], /result number 1: "score"/],
    ['a score that JSON lost', [{ ...box, score: null }], /result number 1: "score" is null/],
    [
      'a later entry without box',
      [box, { ...result, segmentation, id: 44 }],
      /result number 2: "bbox" is missing/,
    ],
    [
      'a later entry without mask',
      [{ ...result, segmentation }, result],
      /result number 2: there is no mask/,
    ],
    ['neither box nor mask', [result], /result number 1: there is no mask/],
    [
      'a mask of another size',
      [{ ...result, segmentation: { size: [9, 9], counts: [81] } }],
      /result number 1: .*9×9/,
    ],
    ['no object', [box, 3], /result number 2: is 3/],
  ])('refuses %s', async (_, list, message) => {
    await expect(loadResults(list, dataset)).rejects.toThrow(message);
  });

  it('refuses what is no list', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'results-')), 'dt.json');
    writeFileSync(path, '{"annotations": []}');
    await expect(loadResults(path, dataset)).rejects.toThrow(/dt\.json: COCO results are a list/);
  });
});

describe('detections in memory', () => {
  const collect = (masks = true) => {
    const collector = new DetectionCollector(dataset);
    const boxes = Float32Array.of(0, 0, 10, 10, 20, 5, 30.5, 15.25);
    const drawn = [boxRle([0, 0, 10, 10], size), boxRle([20, 5, 30, 10], size)];
    collector.add(0, { boxes, scores: [0.9, 0.3], labels: [0, 1], ...(masks && { masks: drawn }) });
    return collector;
  };

  it('score as the files written from them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'results-'));
    for (const [type, areas] of [
      ['bbox', 'box'],
      ['segm', 'mask'],
    ] as const) {
      const detections = collect().detections(areas);
      const path = join(folder, `${type}.json`);
      await writeResults(path, detections, dataset, type);
      const [first] = JSON.parse(readFileSync(path, 'utf8')) as object[];
      expect(Object.keys(first!)).toEqual([
        'image_id',
        'category_id',
        'score',
        type === 'bbox' ? 'bbox' : 'segmentation',
      ]);
      const read = await loadResults(path, dataset);
      expect(read.area).toEqual(detections.area);
      expect(evaluateCoco(dataset, read, type)).toEqual(evaluateCoco(dataset, detections, type));
    }
  });

  it('score boxes and masks side by side', async () => {
    const found = collect();
    const score = scoreDetections(dataset, found, ['bbox', 'segm']);
    const parts = await Promise.all(
      (['bbox', 'segm'] as const).map((type) => {
        const results = toResults(found.detections(type === 'bbox' ? 'box' : 'mask'), dataset, type);
        return scoreCoco({ gt: dataset, results, type });
      }),
    );
    expect(score.bbox).toEqual(parts[0]!.bbox);
    expect(score.segm).toEqual(parts[1]!.segm);
    expect(score.perClass).toEqual(
      parts[0]!.perClass.map((row, k) => ({ ...row, ...parts[1]!.perClass[k] })),
    );
  });

  it('have the area of the box or of the mask', () => {
    expect([...collect().detections('mask').area]).toEqual([100, 50]);
    expect([...collect().detections('box').area]).toEqual([100, 10.5 * 10.25]);
  });

  it('carry the category ids of the file and leave out classes that it does not know', () => {
    const classes = parseCoco(smallTruth([]), 'gt.json', { classes: ['dog', 'cat'] });
    const collector = new DetectionCollector(classes);
    collector.add(0, { boxes: [1, 2, 4, 6, 1, 2, 4, 6], scores: [0.5, 0.25], labels: [0, 1] });
    expect(toResults(collector.detections('box'), classes, 'bbox')).toEqual([
      { image_id: 7, category_id: 2, score: 0.25, bbox: [1, 2, 3, 4] },
    ]);
  });

  it('are refused where they cannot be scored', () => {
    const collector = new DetectionCollector(dataset);
    const one = { boxes: [1, 2, 4, 6], scores: [0.5], labels: [0] };
    expect(() => collector.add(0, { ...one, scores: [Number.NaN] })).toThrow(/image 7, detection 1: .*NaN/);
    const masks = [boxRle([0, 0, 1, 1], { height: 4, width: 4 })];
    expect(() => collector.add(0, { ...one, masks })).toThrow(/the mask has 4×4 pixels and the image 30×40/);
    const boxes = collect(false).detections('mask');
    expect(() => evaluateCoco(dataset, boxes, 'segm')).toThrow(/image 7: a detection has no mask/);
  });
});

describe('scoreCoco', () => {
  it('reports the twelve figures and those of each class', async () => {
    const answers = readCoco<Record<'bbox', EvalAnswers>>('eval.json').bbox;
    const score = await scoreCoco({
      gt: cocoPath('gt.json'),
      results: cocoPath('dt_bbox.json'),
      type: 'bbox',
    });
    expect(score.bbox?.AP).toBeCloseTo(answers.stats[0]!, 9);
    expect(score.segm).toBeUndefined();
    expect(score.perClass.map(({ label }) => label).slice(0, 2)).toEqual(['cat', 'cup']);
    expect(score.perClass[0]).toEqual({
      label: 'cat',
      id: 1,
      bboxAP: expect.closeTo(answers.ap_per_class[0]!, 9),
      bboxAP50: expect.closeTo(answers.ap50_per_class[0]!, 9),
      bboxAR: expect.closeTo(answers.ar100_per_class[0]!, 9),
    });
  });

  it('puts boxes and masks side by side', async () => {
    const truth = await openCoco(cocoPath('gt.json'));
    const detections = await loadResults(cocoPath('dt_segm.json'), truth);
    const types = ['bbox', 'segm'] as const;
    const report = reportCoco(
      truth,
      types.map((type) => evaluateCoco(truth, detections, type)),
    );
    expect(Object.keys(report)).toEqual(['bbox', 'segm', 'perClass']);
    expect(Object.keys(report.perClass[0]!)).toEqual([
      'label',
      'id',
      ...types.flatMap((type) => ['AP', 'AP50', 'AR'].map((name) => type + name)),
    ]);
  });
});
