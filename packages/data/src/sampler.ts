import { AsMlpError, createRng } from '@as-mlp/base';

/** What a sampler goes through. */
export interface SamplerOptions {
  /** Number of samples of the data set, at least 1. */
  readonly length: number;
  /** Samples in a batch, at least 1. */
  readonly batchSize: number;
  /** Seed of the shuffling; 0 unless given. */
  readonly seed?: number;
  /** A new random order every epoch; in order unless given. */
  readonly shuffle?: boolean;
  /** Leave out a last batch that is not full; kept unless given. */
  readonly dropLast?: boolean;
  /** The epoch to start with; 0 unless given. */
  readonly epoch?: number;
}

/** Where a sampler stands, and of which sampler: JSON-able. */
export interface SamplerState {
  readonly length: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  readonly epoch: number;
  /** The number, within the epoch, of the batch that comes next. */
  readonly batch: number;
}

/** The samples of one batch. */
export interface IndexBatch {
  readonly epoch: number;
  /** Number of the batch within its epoch, from 0. */
  readonly batch: number;
  /** Indices into the data set. */
  readonly indices: readonly number[];
  /** Whether it is the last batch of its epoch. */
  readonly last: boolean;
  /** The state to go on from after this batch. */
  readonly after: SamplerState;
}

/** An endless stream of batches, epoch after epoch. */
export interface Sampler {
  readonly batchesPerEpoch: number;
  /** The next batch; the last one of an epoch is followed by the first one of the next. */
  next(): IndexBatch;
  /** Where the sampler stands; `restore` goes on from there, in another process too. */
  state(): SamplerState;
  /** Goes on from `state`. Throws AsMlpError('input') when it is of a sampler with other options. */
  restore(state: SamplerState): void;
}

/**
 * The order of the samples in an epoch: a pure function of its arguments (Fisher–Yates with the counter-based generator
 * forked by the epoch), or 0, 1, 2, … without `shuffle`.
 */
export function epochOrder({
  length,
  seed = 0,
  shuffle = false,
  epoch = 0,
}: Pick<SamplerOptions, 'length' | 'seed' | 'shuffle' | 'epoch'>): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  if (!shuffle) return order;
  const rng = createRng(seed).fork(`order of epoch ${epoch}`);
  for (let i = length - 1; i > 0; i--) {
    const j = rng.int(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}

/** A sampler at the start of `epoch`. Throws AsMlpError('usage') for options that give no batches. */
export function createSampler(options: SamplerOptions): Sampler {
  const { length, batchSize, seed = 0, shuffle = false, dropLast = false } = options;
  const batchesPerEpoch = dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);
  const wholeNumbers = [length, batchSize].every((n) => Number.isInteger(n) && n >= 1);
  if (!wholeNumbers || batchesPerEpoch < 1) {
    throw new AsMlpError('usage', {
      what: `${length} samples give no batch of ${batchSize}`,
      fix: dropLast
        ? 'Use a smaller batch, or keep the last batch'
        : 'Use at least one sample and one a batch',
    });
  }
  const settings = { length, batchSize, seed, shuffle, dropLast };
  let epoch = options.epoch ?? 0;
  let batch = 0;
  let order: { epoch: number; indices: Uint32Array } | undefined;

  const state = (): SamplerState => ({ ...settings, epoch, batch });
  return {
    batchesPerEpoch,
    state,
    next() {
      if (order?.epoch !== epoch) order = { epoch, indices: epochOrder({ length, seed, shuffle, epoch }) };
      const start = batch * batchSize;
      const indices = Array.from(order.indices.subarray(start, Math.min(start + batchSize, length)));
      const current = { epoch, batch, indices, last: batch + 1 === batchesPerEpoch };
      if (current.last) {
        epoch++;
        batch = 0;
      } else {
        batch++;
      }
      return { ...current, after: state() };
    },
    restore(saved) {
      for (const [name, value] of Object.entries(settings)) {
        const other = saved[name as keyof typeof settings];
        if (other === value) continue;
        throw new AsMlpError('input', {
          what: `the saved state is of a sampler with ${name} ${other}, and this one has ${value}`,
          fix: 'Go on with the data set and the options that the run was started with',
        });
      }
      if (!(saved.batch >= 0 && saved.batch < batchesPerEpoch && saved.epoch >= 0)) {
        throw new AsMlpError('input', {
          what: `the saved state names batch ${saved.batch} of epoch ${saved.epoch}, which does not exist`,
          fix: 'Go on from another checkpoint',
        });
      }
      epoch = saved.epoch;
      batch = saved.batch;
    },
  };
}
