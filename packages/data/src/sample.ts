import { AsMlpError, type Rng } from '@as-mlp/base';

/** An array of numbers that batches are made of. */
export type NumberArray = Float32Array | Int32Array | Uint8Array | Uint16Array;

/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One sample, as a task's load function gives it. */
export interface Sample<Meta = unknown> {
  /** Arrays by name. Every sample of a batch has the same names, types and lengths: they are stacked. */
  readonly tensors: Readonly<Record<string, NumberArray>>;
  /** Anything else that can be cloned between threads; kept as a list. */
  readonly meta?: Meta;
}

/** What a load function may use besides the index. */
export interface SampleContext {
  readonly epoch: number;
  /** Chance of this sample: a function of seed, epoch and index alone, whichever thread loads it. */
  readonly rng: Rng;
}

/** Loads sample `index` of a data set. */
export type LoadSample<Meta = unknown> = (
  index: number,
  context: SampleContext,
) => Sample<Meta> | Promise<Sample<Meta>>;

/** Makes a load function; called once a thread, so that tables and open files can be kept. */
export type LoadFactory<Argument extends Json = Json, Meta = unknown> = (
  argument: Argument,
) => LoadSample<Meta> | Promise<LoadSample<Meta>>;

/** The arrays of `samples` end to end, by name. Throws AsMlpError('input') when they differ in name, type or length. */
export function stackSamples(samples: readonly Sample[]): Record<string, NumberArray> {
  const first = samples[0];
  if (!first) return {};
  const names = Object.keys(first.tensors);
  const stacked: Record<string, NumberArray> = {};
  for (const name of names) {
    const like = first.tensors[name]!;
    const Values = like.constructor as new (length: number) => NumberArray;
    const whole = new Values(like.length * samples.length);
    samples.forEach(({ tensors }, i) => {
      const part = tensors[name];
      if (
        part?.constructor !== Values ||
        part.length !== like.length ||
        Object.keys(tensors).length !== names.length
      ) {
        throw new AsMlpError('input', {
          where: `sample ${i + 1} of a batch, "${name}"`,
          what: `${describe(part)} cannot be stacked on ${describe(like)}`,
          fix: 'Give every sample of a batch the same names, types and sizes',
        });
      }
      whole.set(part, i * like.length);
    });
    stacked[name] = whole;
  }
  return stacked;
}

function describe(values: NumberArray | undefined): string {
  return values ? `${values.constructor.name} of ${values.length}` : 'nothing';
}
