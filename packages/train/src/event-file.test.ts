import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.ts';
import { eventFiles, readEvents, shownScalars } from './event-file.fixture.ts';
import { openEventFile } from './event-file.ts';
import type { EvaluationRecord, StepRecord } from './log.ts';
import { temporaryFolder } from './tiny-task.fixture.ts';

const time = '2023-11-14T22:13:20.500Z';
const step = (at: number, loss: number): StepRecord => ({
  type: 'step',
  time,
  step: at,
  epoch: 1,
  loss,
  parts: { ce: loss / 2 },
  lr: 0.5,
  gradNorm: 2,
  imgPerSec: 100,
  dataWait: 0,
  memory: { rssMiB: 300, tensors: 7 },
});
const evaluation = (at: number): EvaluationRecord => ({
  type: 'evaluation',
  time,
  step: at,
  epoch: 1,
  metrics: { top1: 0.75, top5: null },
  best: true,
});

describe('crc32c', () => {
  it.each([
    ['', 0],
    ['123456789', 0xe3069283],
    ['\0'.repeat(32), 0x8a9136aa],
  ])('of %j', (text, crc) => expect(crc32c(Buffer.from(text))).toBe(crc));
});

describe('openEventFile', () => {
  it('writes every number of a record', async () => {
    const folder = temporaryFolder();
    const { path, add } = await openEventFile(folder, undefined);
    expect(basename(path)).toMatch(/^events\.out\.tfevents\.\d{10}\./);
    await add({ type: 'start', time, step: 0, environment: {} as never });
    await add(step(3, 0.25));
    await add(evaluation(3));
    const [version, one, two, ...more] = readEvents(path);
    expect(version).toMatchObject({ step: 0, fileVersion: 'brain.Event:2', scalars: {} });
    expect(one).toMatchObject({ wallTime: 1_700_000_000.5, step: 3, isStart: false });
    expect(one!.scalars).toEqual({
      'train/epoch': 1,
      'train/loss': 0.25,
      'parts/ce': 0.125,
      'train/lr': 0.5,
      'train/gradNorm': 2,
      'train/imgPerSec': 100,
      'train/dataWait': 0,
      'memory/rssMiB': 300,
      'memory/tensors': 7,
    });
    expect(two!.scalars).toEqual({ 'train/epoch': 1, 'metrics/top1': 0.75 });
    expect(more).toEqual([]);
  });

  it('writes the bytes that TensorBoard writes', async () => {
    const { path, add } = await openEventFile(temporaryFolder(), undefined);
    const before = readFileSync(path).length;
    await add({ type: 'step', time, step: 3, loss: 0.25, parts: { ce: -1.5 } } as unknown as StepRecord);
    // From RecordWriter of tensorboard 2.21 and the Event of the same values.
    expect(readFileSync(path).subarray(before).toString('hex')).toBe(
      '31000000000000009d8383e90900002040fc54d94110032a240a110a0a747261696e2f6c6f7373150000803e0a0f0a0870617274732f6365' +
        '150000c0bfd22eff12',
    );
  });

  it('lets viewers drop what a run that goes on computes again', async () => {
    const folder = temporaryFolder();
    const first = await openEventFile(folder, undefined);
    const records = [1, 2, 3, 4].map((at) => step(at, at));
    for (const record of records) await first.add(record);
    await first.add(evaluation(2));
    const second = await openEventFile(folder, records.slice(0, 2));
    await second.add(step(3, 30));
    expect(eventFiles(folder)).toEqual([first.path, second.path]);
    expect(shownScalars(folder, 'train/loss')).toEqual([
      [1, 1],
      [2, 2],
      [3, 30],
    ]);
    expect(shownScalars(folder, 'metrics/top1')).toEqual([]);
  });
});
