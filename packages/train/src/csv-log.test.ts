import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCsvLog } from './csv-log.ts';
import type { EvaluationRecord } from './log.ts';
import { temporaryFolder } from './tiny-task.fixture.ts';

const record = (step: number, metrics: Record<string, number | null>): EvaluationRecord => ({
  type: 'evaluation',
  time: 'now, or later',
  step,
  epoch: 1,
  metrics,
  best: true,
});

describe('openCsvLog', () => {
  it('names the columns once and gives each record a row', async () => {
    const path = join(temporaryFolder(), 'metrics.csv');
    writeFileSync(path, 'what was there before');
    const log = await openCsvLog(path, []);
    expect(readFileSync(path, 'utf8')).toBe('');
    await log.add(record(1, { 'a "b"': 0.5, c: null }));
    await log.add(record(2, { c: 1, d: 2 }));
    expect(readFileSync(path, 'utf8').split('\n')).toEqual([
      'time,step,epoch,"metrics.a ""b""",metrics.c,best',
      '"now, or later",1,1,0.5,,true',
      '"now, or later",2,1,,1,true',
      '',
    ]);
  });

  it('begins with the records that are there', async () => {
    const path = join(temporaryFolder(), 'metrics.csv');
    const log = await openCsvLog(path, [record(1, { a: 1 })]);
    await log.add(record(2, { a: 2 }));
    const [, ...rows] = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(rows.map((row) => row.split(',').slice(2))).toEqual([
      ['1', '1', '1', 'true'],
      ['2', '1', '2', 'true'],
    ]);
  });
});
