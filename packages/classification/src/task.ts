import { createLoader, createSampler, denormalize, type Json } from '@as-mlp/data';
import { crossEntropy } from '@as-mlp/nn';
import type { Task } from '@as-mlp/train';
import type * as tf from '@tensorflow/tfjs-core';
import { createClassifier } from './classifier.ts';
import { openDataset } from './dataset.ts';
import { evaluateClassifier, loadingThreads, samplesModule } from './evaluate.ts';
import { encodeMetadata } from './metadata.ts';
import { type ClassificationModel, createClassificationModel } from './model.ts';
import { IMAGENET_PREPROCESSING, type Preprocessing } from './preprocess.ts';
import type { ClassificationRecipe } from './recipe.ts';
import type { SampleSource } from './samples.ts';

/** A batch on its way to the network. */
export interface ClassificationBatch {
  /** `[B, size, size, 3]` normalised values, row-major. */
  readonly images: Float32Array;
  /** `[B]` class indices. */
  readonly targets: Int32Array;
  readonly names: readonly string[];
}

/** A classification task with what it was made from. */
export interface ClassificationTask extends Task<ClassificationBatch> {
  readonly model: ClassificationModel;
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
}

/** Options of {@link createClassificationTask}. */
export interface ClassificationTaskOptions {
  /** A folder with `train` and `val`, as `openDataset` reads it, or `mnist`. */
  readonly data: string;
  readonly recipe: ClassificationRecipe;
  /** Told how far an evaluation is. */
  readonly onEvaluation?: (done: number, total: number) => void;
}

/**
 * Training of a fresh classifier on the `train` split of a data set, evaluated on its `val` split. The classes are those
 * of the training split.
 */
export function createClassificationTask(options: ClassificationTaskOptions): ClassificationTask {
  const { data, recipe, onEvaluation } = options;
  const { batchSize, imageSize: size, cropFraction, seed } = recipe;
  const training = openDataset(data, { split: 'train' });
  const { labels } = training;
  // Found out now rather than after the first epoch.
  const heldOut = openDataset(data, { split: 'val', labels });
  const length = training.targets.length;
  const sampling = { length, batchSize, shuffle: true, dropLast: length >= batchSize, seed };
  const preprocessing: Preprocessing = { ...IMAGENET_PREPROCESSING, size, cropFraction };
  const workers = loadingThreads(data, recipe.workers ?? undefined);
  const model = createClassificationModel(recipe.model, {
    numClasses: labels.length,
    seed,
    ...(recipe.dropPathRate === null ? {} : { dropPathRate: recipe.dropPathRate }),
  });
  const classifier = createClassifier(model, { labels, preprocessing });
  const source: SampleSource = {
    data,
    split: 'train',
    labels,
    preprocessing,
    augmentation: recipe.augmentation,
  };

  async function* batches(epoch: number, start: number): AsyncGenerator<ClassificationBatch> {
    const sampler = createSampler(sampling);
    sampler.restore({ ...sampler.state(), epoch, batch: start });
    const loader = createLoader<string>({
      load: { module: samplesModule(), export: 'classificationSamples', argument: source as unknown as Json },
      sampler,
      workers,
    });
    try {
      for await (const { tensors, meta } of loader) {
        yield { images: tensors.image as Float32Array, targets: tensors.target as Int32Array, names: meta };
      }
    } finally {
      await loader.close();
    }
  }

  return {
    name: 'classification',
    model,
    labels,
    preprocessing,
    batchesPerEpoch: createSampler(sampling).batchesPerEpoch,
    decayRule: 'classification',
    metric: { name: 'top1', better: 'higher' },
    batches,
    tensors: ({ images, targets }) => [
      { shape: [targets.length, size, size, 3], data: images },
      { shape: [targets.length], data: targets },
    ],
    inputs: [{ shape: ['batch', size, size, 3] }, { shape: ['batch'], dtype: 'int32' }],
    loss([images, targets], mode) {
      const logits = model.forward(images as tf.Tensor4D, mode);
      const { labelSmoothing } = recipe;
      return { total: crossEntropy(logits, targets as tf.Tensor1D, { labelSmoothing }) as tf.Scalar };
    },
    async evaluate(signal) {
      const { metrics } = await evaluateClassifier(classifier, {
        data,
        batchSize: 2 * batchSize,
        signal,
        ...(workers === undefined ? {} : { workers }),
        ...(onEvaluation ? { onProgress: onEvaluation } : {}),
      });
      return { top1: metrics.top1, top5: metrics.top5 };
    },
    metadata: () => encodeMetadata(model.config, labels, preprocessing),
    describe: ({ names }) =>
      names.slice(0, 8).join(', ') + (names.length > 8 ? `, … (${names.length} images)` : ''),
    preview: ({ images, targets }) =>
      Array.from(targets, (target, i) => {
        const values = images.subarray(i * size * size * 3, (i + 1) * size * size * 3);
        const image = denormalize(
          values,
          { height: size, width: size },
          preprocessing.mean,
          preprocessing.std,
        );
        return { image, caption: labels[target]! };
      }),
    describeData: () => ({ training: length, validation: heldOut.targets.length, classes: labels }),
  };
}
