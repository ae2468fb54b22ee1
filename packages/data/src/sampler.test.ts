import { AsMlpError } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSampler, epochOrder, type SamplerOptions } from './sampler.ts';

const take = (sampler: ReturnType<typeof createSampler>, count: number) =>
  Array.from({ length: count }, () => sampler.next());

const anyOptions = fc
  .record({
    length: fc.integer({ min: 1, max: 50 }),
    batchSize: fc.integer({ min: 1, max: 12 }),
    seed: fc.integer({ min: 0, max: 2 ** 40 }),
    shuffle: fc.boolean(),
    dropLast: fc.boolean(),
    epoch: fc.nat(5),
  })
  .filter(({ length, batchSize, dropLast }) => !dropLast || batchSize <= length);

describe('epochOrder', () => {
  it('is a permutation, a pure function of seed and epoch', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), fc.nat(), (length, seed, epoch) => {
        const order = epochOrder({ length, seed, epoch, shuffle: true });
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
        expect(epochOrder({ length, seed, epoch, shuffle: true })).toEqual(order);
      }),
    );
    const order = (seed: number, epoch: number) => epochOrder({ length: 100, seed, epoch, shuffle: true });
    expect(order(1, 0)).not.toEqual(order(1, 1));
    expect(order(1, 0)).not.toEqual(order(2, 0));
  });

  it('is fixed for good: saved runs depend on it', () => {
    expect([...epochOrder({ length: 8, seed: 1, epoch: 0, shuffle: true })]).toEqual([
      7, 2, 5, 0, 3, 4, 1, 6,
    ]);
  });

  it('puts every sample everywhere equally often', () => {
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let epoch = 0; epoch < 4000; epoch++) {
      epochOrder({ length: 4, seed: 3, epoch, shuffle: true }).forEach((sample, place) => {
        counts[place]![sample]!++;
      });
    }
    for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

describe('createSampler', () => {
  it('goes through every epoch once, in batches', () => {
    fc.assert(
      fc.property(anyOptions, (options) => {
        const sampler = createSampler(options);
        for (const epoch of [options.epoch, options.epoch + 1]) {
          const batches = take(sampler, sampler.batchesPerEpoch);
          const order = [...epochOrder({ ...options, epoch })];
          const kept = options.dropLast ? order.length - (order.length % options.batchSize) : order.length;
          expect(batches.flatMap(({ indices }) => indices)).toEqual(order.slice(0, kept));
          expect(batches.map((b) => [b.epoch, b.batch, b.last])).toEqual(
            batches.map((_, i) => [epoch, i, i === batches.length - 1]),
          );
        }
      }),
    );
  });

  it('resumes anywhere with the same batches', () => {
    fc.assert(
      fc.property(anyOptions, fc.nat(30), (options, consumed) => {
        const sampler = createSampler(options);
        const before = take(sampler, consumed);
        const state = JSON.parse(JSON.stringify(sampler.state()));
        if (consumed > 0) expect(before.at(-1)!.after).toEqual(state);
        const rest = take(sampler, 20);
        const resumed = createSampler({ ...options, epoch: 0 });
        resumed.restore(state);
        expect(take(resumed, 20)).toEqual(rest);
      }),
    );
  });

  it.each<Partial<SamplerOptions>>([
    { length: 11 },
    { batchSize: 3 },
    { seed: 9 },
    { shuffle: false },
    { dropLast: true },
  ])('refuses the state of a sampler with other options: %o', (change) => {
    const options = { length: 10, batchSize: 4, seed: 1, shuffle: true, dropLast: false };
    const state = createSampler({ ...options, ...change }).state();
    expect(() => createSampler(options).restore(state)).toThrow(AsMlpError);
  });

  it('refuses a batch that does not exist, and options without batches', () => {
    const sampler = createSampler({ length: 10, batchSize: 4 });
    expect(() => sampler.restore({ ...sampler.state(), batch: 3 })).toThrow(/batch 3 of epoch 0/);
    expect(() => createSampler({ length: 0, batchSize: 4 })).toThrow(AsMlpError);
    expect(() => createSampler({ length: 3, batchSize: 0 })).toThrow(AsMlpError);
    expect(() => createSampler({ length: 3, batchSize: 4, dropLast: true })).toThrow(/smaller batch/);
  });
});
