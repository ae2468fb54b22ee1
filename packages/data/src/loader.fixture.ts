import { isMainThread, threadId } from 'node:worker_threads';
import { AsMlpError } from '@as-mlp/base';
import type { LoadSample } from './sample.ts';

/** What the load functions of the loader's tests are told. */
export type FixtureArgument = {
  readonly values: number;
  /** Samples that fail, end their thread, or give what cannot be cloned. */
  readonly bad?: readonly number[];
  readonly dies?: readonly number[];
  readonly uncloneable?: readonly number[];
  /** Samples that take longer than the others. */
  readonly slow?: readonly number[];
};

/** What a sample says of itself besides its values. */
export interface FixtureMeta {
  readonly name: string;
  readonly isMainThread: boolean;
  readonly extra?: unknown;
}

/** Samples of random values, seeded as the loader says. */
export function createFixtureLoad(argument: FixtureArgument): LoadSample<FixtureMeta> {
  return async (index, { rng, epoch }) => {
    if (argument.slow?.includes(index)) await new Promise((resolve) => setTimeout(resolve, 30));
    if (argument.bad?.includes(index)) {
      throw new AsMlpError('image', { where: `${index}.png`, what: 'it is damaged', fix: 'Save it again' });
    }
    if (argument.dies?.includes(index)) process.exit(3);
    const meta: FixtureMeta = { name: `${index}@${epoch}`, isMainThread };
    return {
      tensors: { image: rng.uniform(argument.values), label: Int32Array.of(index) },
      meta: argument.uncloneable?.includes(index) ? { ...meta, extra: () => threadId } : meta,
    };
  };
}

/** A factory that cannot make a load function. */
export function failingFactory(): LoadSample {
  throw new AsMlpError('input', { where: 'dataset', what: 'there is no list', fix: 'Write one' });
}

/** Samples of different sizes. */
export function createRaggedLoad(): LoadSample {
  return (index) => ({ tensors: { image: new Uint8Array(1 + index) } });
}
