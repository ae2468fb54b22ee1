import type { AsMlpError } from '@as-mlp/base';
import { type Batch, createLoader, createSampler } from '@as-mlp/data';
import * as tf from '@tensorflow/tfjs-core';
import type { Classifier } from './classifier.ts';
import { openDataset } from './dataset.ts';
import { ClassificationEvaluator, type ClassificationMetrics, softmax, topK } from './metrics.ts';
import { samplesFrom } from './samples.ts';

/** What to evaluate on, and how. */
export interface EvaluationOptions {
  /** A folder as `openDataset` reads it, or `mnist`. */
  readonly data: string;
  /** Part of the data set; `val` unless given. */
  readonly split?: string;
  /** Images at a time; 32 unless given. */
  readonly batchSize?: number;
  /** Threads that decode; chosen by the machine unless given. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  /** Called after every batch. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called for every image, e.g. to collect examples; `confidence` is the probability of the predicted class. */
  readonly onImage?: (image: {
    index: number;
    name: string;
    target: number;
    predicted: number;
    confidence: number;
  }) => void;
}

/** The result of an evaluation. */
export interface Evaluation {
  readonly metrics: ClassificationMetrics;
  readonly perClass: readonly { label: string; index: number; count: number; top1: number | null }[];
  /** `[true · K + predicted]` counts. */
  readonly confusion: Uint32Array;
  /** Images that could not be read; they do not count. */
  readonly failures: readonly AsMlpError[];
}

/** Threads for a data set: none where images are in memory already. */
export function loadingThreads(data: string, asked: number | undefined): number | undefined {
  return asked ?? (data === 'mnist' ? 0 : undefined);
}

/**
 * Official evaluation of a classifier: top-1 and top-5 over a labelled data set, the confusion matrix, and the images
 * that failed. Memory stays within a few batches.
 */
export async function evaluateClassifier(
  classifier: Classifier,
  options: EvaluationOptions,
): Promise<Evaluation> {
  const { data, split = 'val', batchSize = 32, signal, onProgress, onImage } = options;
  const { labels, preprocessing } = classifier;
  const { numClasses } = classifier.model.config;
  const total = openDataset(data, { split, labels }).targets.length;
  const loader = createLoader<string>({
    load: samplesFrom({ data, split, labels, preprocessing }),
    sampler: createSampler({ length: total, batchSize }),
    workers: loadingThreads(data, options.workers),
    onError: 'skip',
  });
  const evaluator = new ClassificationEvaluator(numClasses);
  const failures: AsMlpError[] = [];
  let done = 0;
  try {
    for await (const batch of loader) {
      signal?.throwIfAborted();
      failures.push(...batch.failures.map(({ error }) => error));
      if (batch.indices.length > 0) {
        const scores = await scoreBatch(classifier, batch);
        const targets = batch.tensors.target as Int32Array;
        evaluator.add({ scores, numClasses, targets });
        batch.indices.forEach((index, row) => {
          if (!onImage) return;
          const logits = scores.subarray(row * numClasses, (row + 1) * numClasses);
          const predicted = topK(logits, 1)[0]!;
          const confidence = softmax(logits)[predicted]!;
          onImage({ index, name: batch.meta[row]!, target: targets[row]!, predicted, confidence });
        });
      }
      done += batch.indices.length + batch.failures.length;
      onProgress?.(done, total);
    }
  } finally {
    await loader.close();
  }
  return {
    metrics: evaluator.metrics(),
    perClass: evaluator.perClass().map((row) => ({ label: labels[row.index]!, ...row })),
    confusion: evaluator.confusion,
    failures,
  };
}

async function scoreBatch(classifier: Classifier, batch: Batch<string>): Promise<Float32Array> {
  const { size } = classifier.preprocessing;
  const images = tf.tensor4d(batch.tensors.image as Float32Array, [batch.indices.length, size, size, 3]);
  try {
    return await classifier.logits(images);
  } finally {
    images.dispose();
  }
}
