import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Evaluation } from '@as-mlp/classification';
import { describe, expect, it, onTestFinished } from 'vitest';
import { evaluationReport } from './evaluate.ts';

/** Three cats, of which one was taken for a dog, one dog that was taken for a cow, and no cow. */
const EVALUATION: Evaluation = {
  metrics: { top1: 0.5, top5: 1, count: 4 },
  perClass: [
    { label: 'cat, tabby', index: 0, count: 3, top1: 2 / 3 },
    { label: 'dog', index: 1, count: 1, top1: 0 },
    { label: 'cow', index: 2, count: 0, top1: null },
  ],
  confusion: Uint32Array.of(2, 1, 0, 0, 0, 1, 0, 0, 0),
  failures: [],
};

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'asmlp-report-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('evaluationReport', () => {
  it('gives the metrics as JSON and as a table', () => {
    const { json, text, failures } = evaluationReport(EVALUATION);
    expect(json).toEqual({ top1: 0.5, top5: 1, count: 4 });
    expect(text).toBe('  top-1     top-5  images\n───────  ────────  ──────\n50.00 %  100.00 %       4\n');
    expect(failures).toBe(EVALUATION.failures);
  });

  it('writes every class, and the confusions of what was seen or answered', async () => {
    const folder = scratch();
    await evaluationReport(EVALUATION).write(folder);
    const text = (name: string) => readFileSync(join(folder, name), 'utf8');
    expect(readdirSync(folder).sort()).toEqual(['confusion.csv', 'confusion.png', 'per-class.csv']);
    expect(text('per-class.csv')).toBe(
      `label,index,images,top1\n"cat, tabby",0,3,${2 / 3}\ndog,1,1,0\ncow,2,0,\n`,
    );
    expect(text('confusion.csv')).toBe(
      'true \\ predicted,"cat, tabby",dog,cow\n"cat, tabby",2,1,0\ndog,0,0,1\ncow,0,0,0\n',
    );
  });

  it('leaves out classes that did not come up', async () => {
    const folder = scratch();
    const confusion = Uint32Array.of(2, 1, 0, 0, 1, 0, 0, 0, 0);
    await evaluationReport({ ...EVALUATION, confusion }).write(folder);
    const table = readFileSync(join(folder, 'confusion.csv'), 'utf8');
    expect(table).toBe('true \\ predicted,"cat, tabby",dog\n"cat, tabby",2,1\ndog,0,1\n');
  });

  it('has no picture of nothing', async () => {
    const folder = scratch();
    const perClass = EVALUATION.perClass.map((row) => ({ ...row, count: 0, top1: null }));
    const metrics = { top1: 0, top5: 0, count: 0 };
    await evaluationReport({ ...EVALUATION, metrics, perClass, confusion: new Uint32Array(9) }).write(folder);
    expect(readdirSync(folder).sort()).toEqual(['confusion.csv', 'per-class.csv']);
    expect(readFileSync(join(folder, 'confusion.csv'), 'utf8')).toBe('true \\ predicted\n');
  });
});
