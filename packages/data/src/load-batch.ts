import { AsMlpError, createRng, type ErrorKind } from '@as-mlp/base';
import {
  type Json,
  type LoadFactory,
  type LoadSample,
  type NumberArray,
  type Sample,
  stackSamples,
} from './sample.ts';

/** What a thread needs to know to load batches: plain data, sent once. */
export interface LoadSource {
  /** URL of a module. */
  readonly module: string;
  /** Name of the `LoadFactory` that it exports. */
  readonly export: string;
  readonly argument: Json;
  readonly seed: number;
}

/** The samples to load for one batch. */
export interface LoadJob {
  readonly epoch: number;
  readonly indices: readonly number[];
}

/** An error as plain data, which unlike a class survives the way between threads. */
export interface PlainError {
  readonly kind: ErrorKind;
  readonly what: string;
  readonly where?: string | undefined;
  readonly fix?: string | undefined;
}

/** What came of a job. */
export interface LoadOutcome {
  /** The indices that were loaded, in the order of the job. */
  readonly indices: readonly number[];
  readonly tensors: Readonly<Record<string, NumberArray>>;
  readonly meta: readonly unknown[];
  readonly failures: readonly { readonly index: number; readonly error: PlainError }[];
}

/** Samples of a batch that a thread works on at a time: while one is decoded in the background, another is resized. */
const AT_ONCE = 2;

/** A function that loads batches as `source` says; imports its module on first use. */
export function createBatchLoader(source: LoadSource): (job: LoadJob) => Promise<LoadOutcome> {
  let load: Promise<LoadSample> | undefined;
  return async ({ epoch, indices }) => {
    load ??= openLoad(source);
    const loadSample = await load;
    const rng = createRng(source.seed);
    const results = new Array<Sample | PlainError>(indices.length);
    let next = 0;
    const work = async () => {
      for (let i = next++; i < indices.length; i = next++) {
        const index = indices[i]!;
        try {
          results[i] = await loadSample(index, { epoch, rng: rng.fork(`sample ${index} in epoch ${epoch}`) });
        } catch (error) {
          results[i] = plainError(error, `sample ${index}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return collect(indices, results);
  };
}

function collect(indices: readonly number[], results: readonly (Sample | PlainError)[]): LoadOutcome {
  const loaded: number[] = [];
  const samples: Sample[] = [];
  const failures: { index: number; error: PlainError }[] = [];
  results.forEach((result, i) => {
    if ('tensors' in result) {
      loaded.push(indices[i]!);
      samples.push(result);
    } else {
      failures.push({ index: indices[i]!, error: result });
    }
  });
  return { indices: loaded, tensors: stackSamples(samples), meta: samples.map(({ meta }) => meta), failures };
}

async function openLoad(source: LoadSource): Promise<LoadSample> {
  const exports: Record<string, unknown> = await import(/* @vite-ignore */ source.module);
  const factory = exports[source.export];
  if (typeof factory !== 'function') {
    throw new AsMlpError('usage', {
      where: source.module,
      what: `it exports no function "${source.export}"`,
      fix: 'Name a function that the module exports',
    });
  }
  return await (factory as LoadFactory)(source.argument);
}

/** `error` as plain data; `where` says what was being done. */
export function plainError(error: unknown, where?: string): PlainError {
  if (!(error instanceof AsMlpError)) {
    return { kind: 'input', what: error instanceof Error ? error.message : String(error), where };
  }
  const { kind, what, fix } = error;
  return {
    kind,
    what,
    fix,
    where: error.where && where ? `${error.where} (${where})` : (error.where ?? where),
  };
}
