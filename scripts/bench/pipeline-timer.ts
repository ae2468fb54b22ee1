import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { evaluationBatch, IMAGENET_PREPROCESSING, type Preprocessing } from '@as-mlp/classification';
import { createLoader, createSampler, decodeImage, type Json } from '@as-mlp/data';

/** The loading threads' own module: the one that evaluation uses. */
const SAMPLES = new URL('../../packages/classification/src/samples.ts', import.meta.url);

/**
 * Photos from disk to normalised values, without a network: decoded, resized, cropped, normalised. `folder` holds
 * `val/<class>/*.jpg`. Each call takes
 * `batch` photos, which must be all of them where threads work ahead, as they do in an evaluation.
 */
export function createPipelineTimer(
  folder: string,
  size: number,
  workers: number,
): (batch: number) => Promise<void> {
  const preprocessing = { ...IMAGENET_PREPROCESSING, size };
  return workers === 0 ? inThisThread(folder, preprocessing) : inThreads(folder, preprocessing, workers);
}

function inThisThread(folder: string, preprocessing: Preprocessing): (batch: number) => Promise<void> {
  const files = readdirSync(join(folder, 'val', 'photo')).map((name) => join(folder, 'val', 'photo', name));
  let next = 0;
  return async (batch) => {
    for (let i = 0; i < batch; i++) {
      const image = await decodeImage(files[next++ % files.length]!, { tolerant: true });
      evaluationBatch([image], preprocessing);
    }
  };
}

/** Every call reads the folder once; the threads stay for the next call. */
function inThreads(folder: string, preprocessing: Preprocessing, workers: number): () => Promise<void> {
  const argument = { data: folder, split: 'val', labels: ['photo'], preprocessing } as unknown as Json;
  const { length } = readdirSync(join(folder, 'val', 'photo'));
  const loader = createLoader({
    load: { module: SAMPLES, export: 'classificationSamples', argument },
    sampler: createSampler({ length, batchSize: 4 }),
    workers,
  });
  return async () => {
    for await (const { indices } of loader) if (indices.length === 0) throw new Error('an empty batch');
  };
}
