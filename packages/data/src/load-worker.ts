import { workerData } from 'node:worker_threads';
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { createBatchLoader, type LoadJob, type LoadSource, plainError } from './load-batch.ts';

// Runs in a thread of a loader's pool.
const loadBatch = createBatchLoader(workerData as LoadSource);

/** Loads one batch and hands its arrays over without copying them. A failure comes back as data. */
export async function run(job: LoadJob): Promise<unknown> {
  try {
    const outcome = await loadBatch(job);
    const buffers = Object.values(outcome.tensors).map(({ buffer }) => buffer as ArrayBuffer);
    return move({ [transferableSymbol]: buffers, [valueSymbol]: outcome });
  } catch (error) {
    return plainError(error);
  }
}
