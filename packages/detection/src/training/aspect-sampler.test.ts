import { describe, expect, it } from 'vitest';
import { createAspectSampler } from './aspect-sampler.ts';

const sizes = Array.from({ length: 23 }, (_, i) => ({ height: 10, width: i % 3 === 0 ? 12 : 10 }));
const epochOf = (sampler: ReturnType<typeof createAspectSampler>) =>
  Array.from({ length: sampler.batchesPerEpoch }, () => sampler.next());

describe('createAspectSampler', () => {
  it('shows every image in batches of one kind, all of them full', () => {
    const sampler = createAspectSampler(sizes, { batchSize: 4, seed: 1 });
    const batches = epochOf(sampler);
    // 8 wide images in 2 batches, 15 others in 4.
    expect(batches).toHaveLength(6);
    for (const { indices } of batches) {
      expect(indices).toHaveLength(4);
      expect(new Set(indices.map((i) => i % 3 === 0)).size).toBe(1);
    }
    expect(new Set(batches.flatMap(({ indices }) => indices)).size).toBe(23);
    expect(batches.map(({ last }) => last)).toEqual([false, false, false, false, false, true]);
  });

  it('goes on from a saved state, and mixes anew each epoch', () => {
    const first = createAspectSampler(sizes, { batchSize: 4, seed: 1 });
    const epochs = [epochOf(first), epochOf(first)];
    const orders = epochs.map((epoch) => epoch.map(({ indices }) => indices));
    expect(orders[0]).not.toEqual(orders[1]);
    const second = createAspectSampler(sizes, { batchSize: 4, seed: 1 });
    second.restore(epochs[0]![2]!.after);
    expect(second.next()).toEqual(epochs[0]![3]);
    const other = createAspectSampler(sizes, { batchSize: 4, seed: 2 });
    expect(() => other.restore(first.state())).toThrow('seed differs');
  });
});
