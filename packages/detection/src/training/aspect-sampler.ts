import { AsMlpError, createRng } from '@as-mlp/base';
import type { Sampler, SamplerState, Size } from '@as-mlp/data';

/**
 * Batches of images that are all wider than high or none (mmdet's `GroupSampler`): each group in a random order, its last
 * batch filled up with images of the group drawn again, then the batches of both groups mixed. A function of seed and epoch.
 *
 * @param sizes of all images of the data set.
 * @throws AsMlpError (usage) for a data set without images.
 */
export function createAspectSampler(
  sizes: readonly Size[],
  { batchSize, seed }: { readonly batchSize: number; readonly seed: number },
): Sampler {
  const wide = Array.from(sizes, (_, i) => i).filter((i) => isWide(sizes[i]!));
  const others = Array.from(sizes, (_, i) => i).filter((i) => !isWide(sizes[i]!));
  const groups = [others, wide].filter((group) => group.length > 0);
  const batchesPerEpoch = groups.reduce((sum, group) => sum + Math.ceil(group.length / batchSize), 0);
  if (batchesPerEpoch === 0) {
    throw new AsMlpError('usage', {
      what: 'the data set has no image to train on',
      fix: 'Look whether its annotations name objects of the known categories',
    });
  }
  const settings = { length: sizes.length, batchSize, seed, shuffle: true, dropLast: false };
  let epoch = 0;
  let batch = 0;
  let order: { readonly epoch: number; readonly batches: readonly (readonly number[])[] } | undefined;
  const state = (): SamplerState => ({ ...settings, epoch, batch });
  return {
    batchesPerEpoch,
    state,
    next() {
      if (order?.epoch !== epoch) order = { epoch, batches: epochBatches(groups, batchSize, seed, epoch) };
      const last = batch + 1 === batchesPerEpoch;
      const current = { epoch, batch, indices: order.batches[batch]!, last };
      batch = last ? 0 : batch + 1;
      if (last) epoch++;
      return { ...current, after: state() };
    },
    restore(saved) {
      const wrong = Object.entries(settings).find(
        ([name, value]) => saved[name as keyof SamplerState] !== value,
      );
      if (wrong || !(saved.batch >= 0 && saved.batch < batchesPerEpoch && saved.epoch >= 0)) {
        throw new AsMlpError('input', {
          what: `the saved state is of another sampler (${wrong ? wrong[0] : `batch ${saved.batch}`} differs)`,
          fix: 'Go on with the data set and the options that the run was started with',
        });
      }
      ({ epoch, batch } = saved);
    },
  };
}

function isWide({ height, width }: Size): boolean {
  return width > height;
}

function epochBatches(
  groups: readonly (readonly number[])[],
  batchSize: number,
  seed: number,
  epoch: number,
): number[][] {
  const rng = createRng(seed).fork(`order of epoch ${epoch}`);
  const shuffle = <T>(values: readonly T[]): T[] => {
    const deck = [...values];
    for (let i = deck.length - 1; i > 0; i--) {
      const j = rng.int(i + 1);
      [deck[i], deck[j]] = [deck[j]!, deck[i]!];
    }
    return deck;
  };
  const batches = groups.flatMap((group) => {
    const deck = shuffle(group);
    while (deck.length % batchSize !== 0) deck.push(group[rng.int(group.length)]!);
    return Array.from({ length: deck.length / batchSize }, (_, i) =>
      deck.slice(i * batchSize, (i + 1) * batchSize),
    );
  });
  return shuffle(batches);
}
