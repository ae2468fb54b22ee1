import { AsMlpError } from '@as-mlp/base';
import { createLoader, type LoadModule } from './loader.ts';
import { createSampler } from './sampler.ts';

/** What there is to know of one image of a data set. */
export interface ImageFacts {
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** Class index of each object, or of each class that is there. */
  readonly labels: readonly number[];
  /** What is wrong with it, one sentence each without a full stop. */
  readonly faults: readonly string[];
}

/** One part of a data set, ready to be looked through. */
export interface DataPart {
  readonly labels: readonly string[];
  /** Images in it. */
  readonly length: number;
  /** Gives a sample without tensors whose `meta` are {@link ImageFacts}; throws for an image that cannot be read. */
  readonly load: LoadModule;
  /** What is wrong with the part as a whole. */
  readonly faults?: readonly string[];
}

/** Least, middle and greatest of many numbers; 0 for none. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What was found in one part of a data set. */
export interface PartReport {
  readonly split: string;
  readonly images: number;
  readonly objects: number;
  /** Images in which nothing is. */
  readonly empty: number;
  readonly height: Spread;
  readonly width: Spread;
  /** By class: its objects, and the images that have some. */
  readonly classes: readonly { readonly name: string; readonly images: number; readonly objects: number }[];
  /** Everything that is wrong, each with the file. */
  readonly faults: readonly string[];
}

/** Options of {@link checkData}. */
export interface CheckDataOptions {
  /** Threads; one less than there are cores unless given. */
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const BATCH = 16;

/**
 * Looks through every image of the parts of a data set, in worker threads: counts, sizes, and what is wrong. A part that cannot be
 * opened is a report with that one fault.
 *
 * @throws AsMlpError (cancelled) when `signal` aborts.
 */
export async function checkData(
  splits: readonly string[],
  openPart: (split: string) => DataPart | Promise<DataPart>,
  { workers, signal, onProgress }: CheckDataOptions = {},
): Promise<PartReport[]> {
  const opened: (DataPart | AsMlpError)[] = [];
  for (const split of splits) {
    const part = await Promise.resolve(split)
      .then(openPart)
      .catch((error: unknown) => {
        if (error instanceof AsMlpError) return error;
        throw error;
      });
    opened.push(part);
  }
  const total = opened.reduce((sum, part) => sum + ('length' in part ? part.length : 0), 0);
  let before = 0;
  const reports: PartReport[] = [];
  for (const [i, part] of opened.entries()) {
    const tally = createTally(splits[i]!, 'length' in part ? part : undefined);
    if (part instanceof AsMlpError) tally.fault(part.message);
    else
      await look(part, tally, { workers, signal, onProgress: (done) => onProgress?.(before + done, total) });
    before += 'length' in part ? part.length : 0;
    reports.push(tally.report());
  }
  return reports;
}

interface LookOptions extends Pick<CheckDataOptions, 'workers' | 'signal'> {
  readonly onProgress: (done: number) => void;
}

async function look(
  part: DataPart,
  tally: Tally,
  { workers, signal, onProgress }: LookOptions,
): Promise<void> {
  const { load, length } = part;
  if (length === 0) return;
  const sampler = createSampler({ length, batchSize: BATCH, shuffle: false, dropLast: false, seed: 0 });
  const loader = createLoader<ImageFacts>({
    load,
    sampler,
    onError: 'skip',
    ...(workers === undefined ? {} : { workers }),
  });
  try {
    let done = 0;
    for await (const { meta, failures } of loader) {
      if (signal?.aborted) throw new AsMlpError('cancelled', { what: 'the data were not looked through' });
      for (const facts of meta) tally.add(facts);
      for (const { error } of failures) tally.fault(error.message);
      done += meta.length + failures.length;
      onProgress(done);
    }
  } finally {
    await loader.close();
  }
}

type Tally = ReturnType<typeof createTally>;

function createTally(split: string, part: DataPart | undefined) {
  const labels = part?.labels ?? [];
  const faults = [...(part?.faults ?? [])];
  const objectsOf = new Float64Array(labels.length);
  const imagesOf = new Float64Array(labels.length);
  const heights: number[] = [];
  const widths: number[] = [];
  let [objects, empty] = [0, 0];
  return {
    fault: (what: string) => void faults.push(what),
    add: (facts: ImageFacts) => {
      heights.push(facts.height);
      widths.push(facts.width);
      objects += facts.labels.length;
      if (facts.labels.length === 0) empty++;
      for (const label of facts.labels) {
        if (label >= 0 && label < labels.length) objectsOf[label]!++;
        else
          faults.push(
            `${facts.name}: it has class ${label}, and there are ${labels.length} classes, from 0.`,
          );
      }
      for (const label of new Set(facts.labels)) if (label >= 0 && label < labels.length) imagesOf[label]!++;
      for (const what of facts.faults) faults.push(`${facts.name}: ${what}.`);
    },
    report: (): PartReport => ({
      split,
      images: part?.length ?? 0,
      objects,
      empty,
      height: spreadOf(heights),
      width: spreadOf(widths),
      classes: labels.map((name, i) => ({ name, images: imagesOf[i]!, objects: objectsOf[i]! })),
      faults,
    }),
  };
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (index: number) => sorted[index] ?? 0;
  return { min: at(0), median: at(sorted.length >> 1), max: at(sorted.length - 1) };
}
