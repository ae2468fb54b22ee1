import { type Batch, createLoader, type LoadModule, type Sampler } from '@as-mlp/data';
import type { TrainingData } from './task.ts';

/** Where batches come from. */
export interface LoadedDataOptions {
  readonly load: LoadModule;
  /** Makes a sampler; every epoch has one of its own. */
  readonly sampler: () => Sampler;
  /** Threads that load, as in `createLoader`. */
  readonly workers?: number | undefined;
}

/**
 * Batches that a loader reads, in threads that end with the epoch. `finish` makes each what the task takes; it must depend on
 * nothing but the batch.
 */
export function loadedData<Meta, T>(
  { load, sampler: createSampler, workers }: LoadedDataOptions,
  finish: (batch: Batch<Meta>) => T,
): Pick<TrainingData<T>, 'batchesPerEpoch' | 'batches'> {
  return {
    batchesPerEpoch: createSampler().batchesPerEpoch,
    async *batches(epoch, start) {
      const sampler = createSampler();
      sampler.restore({ ...sampler.state(), epoch, batch: start });
      const loader = createLoader<Meta>({ load, sampler, workers });
      try {
        for await (const batch of loader) yield finish(batch);
      } finally {
        await loader.close();
      }
    },
  };
}
