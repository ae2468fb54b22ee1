import { createSampler } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import { loadedData } from './loaded-data.ts';

const text = [
  'import { threadId } from "node:worker_threads";',
  'export const numbers = (offset) => async (i) => ({ tensors: {}, meta: offset + i });',
  'export const threads = () => async () => ({ tensors: {}, meta: threadId });',
].join('\n');
const load = { module: `data:text/javascript,${encodeURIComponent(text)}`, export: 'numbers', argument: 100 };

describe.each([0, 1])('loadedData with %i threads', (workers) => {
  const sampler = () => createSampler({ length: 7, batchSize: 2, shuffle: true });
  const data = loadedData<number, readonly number[]>({ load, sampler, workers }, ({ meta }) => meta);
  const read = async (epoch: number, start = 0) => {
    const batches = [];
    for await (const batch of data.batches(epoch, start)) batches.push(batch);
    return batches;
  };

  it('gives every sample once an epoch, the same from any batch on', async () => {
    const whole = await read(3);
    expect(whole).toHaveLength(data.batchesPerEpoch);
    expect(whole.flat().sort()).toEqual([100, 101, 102, 103, 104, 105, 106]);
    expect(await read(3, 2)).toEqual(whole.slice(2));
    expect(await read(4)).not.toEqual(whole);
  });

  it('may be left early and read twice at a time', async () => {
    const whole = await read(0);
    for await (const batch of data.batches(0, 0)) {
      expect(batch).toEqual(whole[0]);
      expect(await read(0, 1)).toEqual(whole.slice(1));
      break;
    }
    await data.close!();
  });
});

it('loadedData keeps its threads from epoch to epoch, until it is closed', async () => {
  const sampler = () => createSampler({ length: 2, batchSize: 2 });
  const options = { load: { ...load, export: 'threads' }, sampler, workers: 1 };
  const data = loadedData<number, number>(options, ({ meta }) => meta[0]!);
  const thread = async (epoch: number) => {
    const ids = [];
    for await (const id of data.batches(epoch, 0)) ids.push(id);
    return ids[0];
  };
  const first = await thread(0);
  expect(await thread(1)).toBe(first);
  expect(await thread(2)).toBe(first);
  await data.close!();
  expect(await thread(3)).not.toBe(first);
  await data.close!();
});
