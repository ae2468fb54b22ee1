import { availableParallelism } from 'node:os';
import { AsMlpError } from '@as-mlp/base';
import type { LoadOutcome, LoadSource } from './load-batch.ts';
import { openLoadPool } from './load-pool.ts';
import type { Json, NumberArray } from './sample.ts';
import type { IndexBatch, Sampler, SamplerState } from './sampler.ts';

/** What loads the samples: a module that every thread imports for itself. */
export interface LoadModule {
  /** URL of the module: `new URL('./samples.ts', import.meta.url)`, `.js` where the caller is built. */
  readonly module: URL | string;
  /** Name of the `LoadFactory` that the module exports. */
  readonly export: string;
  /** What the factory gets: plain data, sent once to each thread. Null unless given. */
  readonly argument?: Json;
}

/** Options of {@link createLoader}. */
export interface LoaderOptions {
  readonly load: LoadModule;
  /** Says which samples come next. The loader moves it on: leave it alone while batches are being read. */
  readonly sampler: Sampler;
  /** Threads; 0 loads in this one. The batches are the same. One less than there are cores unless given. */
  readonly workers?: number;
  /** Batches that are loaded ahead of the one being used; one more than there are workers unless given. */
  readonly prefetch?: number;
  /** Seed of the samples' chance; the sampler's unless given. */
  readonly seed?: number;
  /**
   * What to do with a sample that cannot be loaded: `throw` ends the reading with its error (unless given), `skip` leaves
   * it out and names it in the batch's `failures`.
   */
  readonly onError?: 'throw' | 'skip';
}

/** A sample that was left out. */
export interface SampleFailure {
  readonly index: number;
  readonly error: AsMlpError;
}

/** A loaded batch. */
export interface Batch<Meta = unknown> {
  readonly epoch: number;
  /** Number of the batch within its epoch, from 0. */
  readonly batch: number;
  /** Whether it is the last batch of its epoch. */
  readonly last: boolean;
  /** The samples that are in it, in order. */
  readonly indices: readonly number[];
  /** The samples' arrays by name, stacked in the order of `indices`. */
  readonly tensors: Readonly<Record<string, NumberArray>>;
  /** The samples' other data, in the order of `indices`. */
  readonly meta: readonly Meta[];
  readonly failures: readonly SampleFailure[];
  /** The sampler's state to go on from after this batch. */
  readonly after: SamplerState;
}

/**
 * The batches from where the sampler stands to the end of its epoch; the next `for await` reads the next epoch. One
 * reader at a time. Leaving a loop early puts the sampler behind the last batch that was handed out.
 */
export interface Loader<Meta = unknown> extends AsyncIterable<Batch<Meta>> {
  /** Ends the threads, after the batches that they are loading (10 s at most). Reading on throws 'cancelled'. */
  close(): Promise<void>;
}

/**
 * Loads batches ahead of their use, in worker threads. Every batch is a function of the sampler, the seed and the data,
 * so it is the same for any number of workers. Memory is bounded by `prefetch + 1` batches.
 * Reading throws AsMlpError when a sample fails (naming it), when a thread dies, or when the module is no good; the
 * loader stays usable. Call `close` when done.
 */
export function createLoader<Meta = unknown>(options: LoaderOptions): Loader<Meta> {
  const { load, sampler, onError = 'throw' } = options;
  const workers = checkCount('workers', options.workers ?? Math.max(0, availableParallelism() - 1));
  const prefetch = checkCount('prefetch', options.prefetch ?? workers + 1);
  const source: LoadSource = {
    module: String(load.module),
    export: load.export,
    argument: load.argument ?? null,
    seed: options.seed ?? sampler.state().seed,
  };
  const pool = openLoadPool(source, workers);
  let isReading = false;
  let isClosed = false;

  async function* readEpoch(): AsyncGenerator<Batch<Meta>, void, undefined> {
    const ahead: { wanted: IndexBatch; outcome: Promise<LoadOutcome> }[] = [];
    let handedOut = sampler.state();
    let isLast = false;
    try {
      for (;;) {
        while (!isLast && ahead.length <= prefetch) {
          const wanted = sampler.next();
          isLast = wanted.last;
          const outcome = pool.load(wanted);
          // It is awaited later, or never: a failure until then is not an unhandled one.
          outcome.catch(() => {});
          ahead.push({ wanted, outcome });
        }
        const head = ahead.shift();
        if (!head) return;
        const batch = finishBatch<Meta>(head.wanted, await head.outcome, onError);
        handedOut = batch.after;
        yield batch;
      }
    } finally {
      sampler.restore(handedOut);
      isReading = false;
    }
  }

  return {
    [Symbol.asyncIterator]() {
      if (isReading || isClosed) {
        throw new AsMlpError('usage', {
          what: isClosed ? 'the loader was closed' : 'the loader is being read already',
          fix: isClosed ? 'Create another one' : 'Finish reading first, or create another one',
        });
      }
      isReading = true;
      return readEpoch();
    },
    async close() {
      isClosed = true;
      await pool.close();
    },
  };
}

function finishBatch<Meta>(wanted: IndexBatch, outcome: LoadOutcome, onError: 'throw' | 'skip'): Batch<Meta> {
  const failures = outcome.failures.map(({ index, error }) => ({
    index,
    error: new AsMlpError(error.kind, error),
  }));
  if (failures[0] && onError === 'throw') throw failures[0].error;
  const { epoch, batch, last, after } = wanted;
  const { indices, tensors, meta } = outcome;
  return { epoch, batch, last, after, indices, tensors, meta: meta as Meta[], failures };
}

function checkCount(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new AsMlpError('usage', { what: `${name} is ${value}`, fix: 'Give a whole number, zero or more' });
}
