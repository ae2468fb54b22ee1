import { createSampler } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import { loadedData } from './loaded-data.ts';

const text = 'export const numbers = (offset) => async (i) => ({ tensors: {}, meta: offset + i });';
const load = { module: `data:text/javascript,${text}`, export: 'numbers', argument: 100 };

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
  });
});
