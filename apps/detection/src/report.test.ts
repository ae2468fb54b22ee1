import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluateCoco, loadResults, openCoco, reportCoco } from '@as-mlp/detection';
import { expect, it, onTestFinished } from 'vitest';
import { detectionReport } from './report.ts';

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'asmlp-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One cat that is found exactly, one that is not; no dog anywhere. */
async function scored(folder: string) {
  const box = (id: number, x: number) => ({
    id,
    image_id: 1,
    category_id: 5,
    bbox: [x, 0, 10, 10],
    area: 100,
    iscrowd: 0,
  });
  const gt = {
    images: [{ id: 1, file_name: 'a.png', height: 50, width: 50 }],
    annotations: [box(1, 0), box(2, 30)],
    categories: [
      { id: 5, name: 'cat, tabby' },
      { id: 9, name: 'dog' },
    ],
  };
  writeFileSync(join(folder, 'gt.json'), JSON.stringify(gt));
  const dataset = await openCoco(join(folder, 'gt.json'));
  const found = [{ image_id: 1, category_id: 5, bbox: [0, 0, 10, 10], score: 0.9 }];
  const evaluations = [evaluateCoco(dataset, await loadResults(found, dataset), 'bbox')];
  return { metrics: reportCoco(dataset, evaluations), evaluations, dataset };
}

it('shows what was scored and leaves out what was not', async () => {
  const folder = scratch();
  const { json, text, write } = detectionReport(await scored(folder));
  expect(Object.keys(json)).toEqual(['bbox', 'perClass']);
  // Half of the recalls, 0 to 0.5, are reached: 51 of 101.
  expect(text).toContain('boxes  50.50  50.50  50.50  50.50    –    –');
  expect(text).toMatch(/^dog +– +– +–$/m);
  expect(text).not.toContain('segm');

  await write(folder);
  expect(readdirSync(folder).sort()).toEqual(['gt.json', 'per-class.csv', 'pr-bbox.svg']);
  const table = readFileSync(join(folder, 'per-class.csv'), 'utf8').split('\n');
  expect(table[0]).toBe('label,id,bboxAP,bboxAP50,bboxAR');
  expect(table[1]).toMatch(/^"cat, tabby",5,0.50495\d*,0.50495\d*,0.5$/);
  expect(table[2]).toBe('dog,9,-1,-1,-1');
  const svg = readFileSync(join(folder, 'pr-bbox.svg'), 'utf8');
  expect(svg).toContain('boxes: mean of 1 class<');
  expect(svg).not.toContain('dog');
});
