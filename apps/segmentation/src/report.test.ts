import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { segmentationMetrics } from '@as-mlp/segmentation';
import { expect, it, onTestFinished } from 'vitest';
import { segmentationReport } from './report.ts';

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'asmlp-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const LABELS = ['sea, ocean', 'sand', 'fog', 'sky'];

/** Four pixels of sea, one taken for sand; one of sand; none of fog; sky predicted once, on sand. */
const METRICS = segmentationMetrics(
  { numClasses: 4, counts: Float64Array.of(3, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0) },
  LABELS,
);

it('says what is undefined, in JSON, text and tables', async () => {
  const { json, text, write } = segmentationReport(METRICS);
  expect(json).toMatchObject({
    // (3/4 + 1/3 + 0) / 3
    mIoU: expect.closeTo(0.3611, 4),
    mAcc: 0.625,
    aAcc: expect.closeTo(4 / 6, 10),
    perClass: [
      { label: 'sea, ocean', index: 0, iou: 0.75, acc: 0.75 },
      { label: 'sand', index: 1, acc: 0.5, dice: 0.5 },
      { label: 'fog', index: 2, iou: null, acc: null, dice: null },
      { label: 'sky', index: 3, iou: 0, acc: null, dice: 0 },
    ],
  });
  expect(text).toMatch(/^all {2}36\.11 {2}62\.50 {2}66\.67$/m);
  expect(text).toMatch(/^fog +– +– +–$/m);
  expect(text).toMatch(/^sky +0\.00 +– +0\.00$/m);

  const folder = scratch();
  await write(folder);
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').split('\n');
  expect(readdirSync(folder).sort()).toEqual(['confusion.csv', 'confusion.png', 'per-class.csv']);
  const table = read('per-class.csv');
  expect(table[0]).toBe('label,index,iou,acc,dice');
  expect(table[1]).toMatch(/^"sea, ocean",0,0.75,0.75,0.857/);
  expect(table.slice(3, 5)).toEqual(['fog,2,,,', 'sky,3,0,,0']);
  expect(read('confusion.csv').slice(0, 3)).toEqual([
    'true \\ predicted,"sea, ocean",sand,fog,sky',
    '"sea, ocean",3,1,0,0',
    'sand,0,1,0,1',
  ]);
});

it('has no picture of nothing', async () => {
  const folder = scratch();
  const { text, write } = segmentationReport(
    segmentationMetrics({ numClasses: 2, counts: new Float64Array(4) }),
  );
  expect(text).toMatch(/^all +– +– +–$/m);
  await write(folder);
  expect(readdirSync(folder).sort()).toEqual(['confusion.csv', 'per-class.csv']);
});
