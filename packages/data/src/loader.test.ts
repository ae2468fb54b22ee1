import { AsMlpError } from '@as-mlp/base';
import { afterEach, describe, expect, it } from 'vitest';
import type { FixtureArgument, FixtureMeta } from './loader.fixture.ts';
import type { Batch, Loader, LoaderOptions } from './loader.ts';
import { createLoader } from './loader.ts';
import { createSampler, type SamplerOptions } from './sampler.ts';

const module = new URL('./loader.fixture.ts', import.meta.url);
const opened: Loader<FixtureMeta>[] = [];

function open(
  argument: Partial<FixtureArgument>,
  options: Partial<LoaderOptions> & { sampling?: Partial<SamplerOptions>; factory?: string } = {},
) {
  const { sampling, factory = 'createFixtureLoad', ...rest } = options;
  const sampler = createSampler({ length: 10, batchSize: 4, seed: 5, shuffle: true, ...sampling });
  const load = { module, export: factory, argument: { values: 6, ...argument } };
  const loader = createLoader<FixtureMeta>({ load, sampler, ...rest });
  opened.push(loader);
  return { loader, sampler };
}

async function read(
  loader: Loader<FixtureMeta>,
  count = Number.POSITIVE_INFINITY,
): Promise<Batch<FixtureMeta>[]> {
  const batches: Batch<FixtureMeta>[] = [];
  for await (const batch of loader) {
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

const content = (batches: Batch<FixtureMeta>[]) =>
  batches.map(({ tensors, meta, indices, epoch, batch, after }) => ({
    tensors,
    indices,
    epoch,
    batch,
    after,
    names: meta.map(({ name }) => name),
  }));

afterEach(async () => {
  await Promise.all(opened.splice(0).map((loader) => loader.close()));
});

describe('createLoader', () => {
  it('gives the same batches on any number of workers', async () => {
    const results = [];
    for (const workers of [0, 1, 3]) {
      const { loader } = open({ slow: [3, 7] }, { workers });
      const batches = [...(await read(loader)), ...(await read(loader))];
      expect(batches.flatMap(({ meta }) => meta.map((m) => m.isMainThread))).toEqual(
        Array(20).fill(workers === 0),
      );
      results.push(content(batches));
    }
    expect(results[0]).toHaveLength(6);
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('stacks the samples in the order of the sampler', async () => {
    const { loader } = open({}, { workers: 0 });
    const expected = createSampler({ length: 10, batchSize: 4, seed: 5, shuffle: true });
    for (const batch of await read(loader)) {
      const { indices } = expected.next();
      expect(batch.indices).toEqual(indices);
      expect(batch.tensors.label).toEqual(Int32Array.from(indices));
      expect(batch.tensors.image).toHaveLength(indices.length * 6);
    }
  });

  it('draws the chance of a sample from seed, epoch and index alone', async () => {
    const images = async (seed: number, batchSize: number) => {
      const { loader } = open({}, { workers: 0, seed, sampling: { batchSize, shuffle: false } });
      const batches = [...(await read(loader)), ...(await read(loader))];
      return batches.flatMap(({ tensors }) => [...tensors.image!]);
    };
    const values = await images(1, 4);
    expect(await images(1, 3)).toEqual(values);
    expect(await images(2, 4)).not.toEqual(values);
    expect(values.slice(60)).not.toEqual(values.slice(0, 60));
  });

  it('goes on after a break, and elsewhere from a saved state', async () => {
    const whole = content([...(await read(open({}, { workers: 0 }).loader))]);
    const { loader, sampler } = open({}, { workers: 0, prefetch: 2 });
    const first = await read(loader, 1);
    expect(content([...first, ...(await read(loader))])).toEqual(whole);
    expect(sampler.state()).toMatchObject({ epoch: 1, batch: 0 });

    const resumed = open({}, { workers: 0 });
    resumed.sampler.restore(JSON.parse(JSON.stringify(first[0]!.after)));
    expect(content(await read(resumed.loader))).toEqual(whole.slice(1));
  });

  it.each([0, 2])('names a failing sample and stays usable (%i workers)', async (workers) => {
    const { loader, sampler } = open({ bad: [7] }, { workers, sampling: { shuffle: false } });
    const error = await read(loader).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AsMlpError);
    expect(error).toMatchObject({
      kind: 'image',
      message: '7.png (sample 7): it is damaged. Save it again.',
    });
    sampler.restore({ ...sampler.state(), batch: 2 });
    expect((await read(loader)).map(({ indices }) => indices)).toEqual([[8, 9]]);
  });

  it.each([0, 2])('leaves failing samples out where asked (%i workers)', async (workers) => {
    const { loader } = open(
      { bad: [4, 7, 8, 9] },
      { workers, onError: 'skip', sampling: { shuffle: false } },
    );
    const batches = await read(loader);
    expect(batches.map(({ indices }) => indices)).toEqual([[0, 1, 2, 3], [5, 6], []]);
    expect(batches.map(({ failures }) => failures.map(({ index }) => index))).toEqual([[], [4, 7], [8, 9]]);
    expect(batches[1]!.tensors.label).toEqual(Int32Array.of(5, 6));
    expect(batches[1]!.failures[0]!.error).toMatchObject({ kind: 'image', where: '4.png (sample 4)' });
  });

  it('survives a thread that dies and results that cannot be sent', async () => {
    const { loader, sampler } = open(
      { dies: [1], uncloneable: [5] },
      { workers: 1, prefetch: 0, sampling: { shuffle: false } },
    );
    await expect(read(loader)).rejects.toThrow(/samples 0, 1, 2, 3: the thread that loaded them failed/);
    sampler.restore({ ...sampler.state(), batch: 1 });
    await expect(read(loader)).rejects.toThrow(/samples 4, 5, 6, 7: the thread that loaded them failed/);
    sampler.restore({ ...sampler.state(), batch: 2 });
    expect((await read(loader)).map(({ indices }) => indices)).toEqual([[8, 9]]);
  });

  it.each([0, 1])('explains a module that is no good (%i workers)', async (workers) => {
    await expect(read(open({}, { workers, factory: 'nothing' }).loader)).rejects.toThrow(
      /exports no function "nothing"/,
    );
    await expect(read(open({}, { workers, factory: 'failingFactory' }).loader)).rejects.toThrow(
      /dataset: there is no list/,
    );
    await expect(read(open({}, { workers, factory: 'createRaggedLoad' }).loader)).rejects.toThrow(
      /cannot be stacked/,
    );
  });

  it('loads no further ahead than it was told', async () => {
    for (const prefetch of [0, 2]) {
      const { loader, sampler } = open({}, { workers: 0, prefetch, sampling: { length: 40 } });
      let used = 0;
      for await (const batch of loader) {
        const ahead = sampler.state().epoch > 0 ? 10 : sampler.state().batch;
        expect(ahead - batch.batch).toBeLessThanOrEqual(prefetch + 1);
        if (batch.batch === 0) expect(ahead).toBe(prefetch + 1);
        used++;
      }
      expect(used).toBe(10);
    }
  });

  it('has one reader at a time and none after it was closed', async () => {
    const { loader } = open({}, { workers: 0 });
    for await (const _ of loader) {
      expect(() => loader[Symbol.asyncIterator]()).toThrow(/being read already/);
      break;
    }
    await loader.close();
    await expect(read(loader)).rejects.toThrow(/was closed/);
  });

  it('cancels waiting batches when it is closed, and leaves no threads', async () => {
    const threads = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = threads();
    const { loader } = open({ slow: [0, 1, 2, 3] }, { workers: 2, prefetch: 3, sampling: { batchSize: 1 } });
    const reading = read(loader);
    const outcome = reading.catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(threads()).toBeGreaterThan(before);
    await loader.close();
    expect(await outcome).toMatchObject({ kind: 'cancelled' });
    expect(threads()).toBe(before);
  });

  it('refuses counts that are not whole', () => {
    expect(() => open({}, { workers: -1 })).toThrow(AsMlpError);
    expect(() => open({}, { workers: 0, prefetch: 0.5 })).toThrow(/prefetch is 0.5/);
  });
});
