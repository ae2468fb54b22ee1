import { type Batch, createLoader, type Loader, type LoadModule, type Sampler } from '@as-mlp/data';
import type { TrainingData } from './task.ts';

/** Where batches come from. */
export interface LoadedDataOptions {
  readonly load: LoadModule;
  /** Makes a sampler; everyone who reads has one of his own. */
  readonly sampler: () => Sampler;
  /** Threads that load, as in `createLoader`. */
  readonly workers?: number | undefined;
}

/**
 * Batches that a loader reads. Its threads stay for the next epoch: every new thread would take memory from another heap of the C
 * library, and keep it. `finish` makes each batch what the task takes; it must depend on nothing but the batch.
 */
export function loadedData<Meta, T>(
  { load, sampler: createSampler, workers }: LoadedDataOptions,
  finish: (batch: Batch<Meta>) => T,
): Pick<TrainingData<T>, 'batchesPerEpoch' | 'batches' | 'close'> {
  let idle: { readonly sampler: Sampler; readonly loader: Loader<Meta> } | undefined;
  const open = () => {
    const sampler = createSampler();
    return { sampler, loader: createLoader<Meta>({ load, sampler, workers }) };
  };
  return {
    batchesPerEpoch: createSampler().batchesPerEpoch,
    async *batches(epoch, start) {
      const reader = idle ?? open();
      idle = undefined;
      const { sampler, loader } = reader;
      sampler.restore({ ...sampler.state(), epoch, batch: start });
      try {
        for await (const batch of loader) yield finish(batch);
      } finally {
        if (idle) await loader.close();
        else idle = reader;
      }
    },
    async close() {
      const { loader } = idle ?? {};
      idle = undefined;
      await loader?.close();
    },
  };
}
