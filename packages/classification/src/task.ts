import { AsMlpError, createRng } from '@as-mlp/base';
import { type Batch, createSampler, denormalize } from '@as-mlp/data';
import { crossEntropy } from '@as-mlp/nn';
import { loadedData, type Task, type TrainingData } from '@as-mlp/train';
import type * as tf from '@tensorflow/tfjs-core';
import { createClassifier } from './classifier.ts';
import { openDataset } from './dataset.ts';
import { type Evaluation, evaluateClassifier, loadingThreads } from './evaluate.ts';
import { encodeMetadata } from './metadata.ts';
import { drawMix, mixes, mixImages, mixTargets } from './mixing.ts';
import { type ClassificationModel, createClassificationModel } from './model.ts';
import { IMAGENET_PREPROCESSING, type Preprocessing } from './preprocess.ts';
import type { ClassificationRecipe } from './recipe.ts';
import { samplesFrom } from './samples.ts';
import { classificationSections, createGuesses, type Guesses } from './sections.ts';

/** A batch on its way to the network. */
export interface ClassificationBatch {
  /** `[B, size, size, 3]` normalised values, row-major. */
  readonly images: Float32Array;
  /** `[B]` class indices, or `[B, K]` class probabilities of mixed images. */
  readonly targets: Int32Array | Float32Array;
  readonly names: readonly string[];
}

/** What `fit` trains a classifier by, with what it was made from. */
export interface ClassificationTraining {
  readonly task: Task<ClassificationBatch>;
  readonly data: TrainingData<ClassificationBatch>;
  /** The task's model. */
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
export function createClassificationTask(options: ClassificationTaskOptions): ClassificationTraining {
  const { data, recipe, onEvaluation } = options;
  const { augmentation, batchSize, imageSize: size, cropFraction, labelSmoothing, seed } = recipe;
  const training = openDataset(data, { split: 'train' });
  const { labels } = training;
  // Found out now rather than after the first epoch.
  const heldOut = openDataset(data, { split: 'val', labels });
  const length = training.targets.length;
  const sampling = { length, batchSize, shuffle: true, dropLast: length >= batchSize, seed };
  const preprocessing: Preprocessing = { ...IMAGENET_PREPROCESSING, size, cropFraction };
  const mixing =
    augmentation.kind === 'random-resized-crop' && mixes(augmentation) ? augmentation : undefined;
  if (mixing) assertPairs(Math.min(batchSize, length));
  const workers = loadingThreads(data, recipe.workers ?? undefined);
  const model = createClassificationModel(recipe.model, {
    numClasses: labels.length,
    seed,
    ...(recipe.dropPathRate === null ? {} : { dropPathRate: recipe.dropPathRate }),
  });
  const classifier = createClassifier(model, { labels, preprocessing });

  /** A batch of the loader as the network gets it; its mixing follows from the seed, the epoch and its number alone. */
  function toBatch({ tensors, meta: names, epoch, batch }: Batch<string>): ClassificationBatch {
    const images = tensors.image as Float32Array;
    const targets = tensors.target as Int32Array;
    if (!mixing) return { images, targets, names };
    const rng = createRng(seed).fork('mixing').fork(`batch ${batch} of epoch ${epoch}`);
    const square = { height: size, width: size };
    const mix = drawMix(square, mixing, rng);
    mixImages(images, square, mix);
    return { images, targets: mixTargets(targets, labels.length, labelSmoothing, mix.lambda), names };
  }

  let last: { evaluation: Evaluation; guesses: Guesses } | undefined;

  const task: Task<ClassificationBatch> = {
    name: 'classification',
    model,
    decayRule: 'classification',
    metric: { name: 'top1', better: 'higher' },
    tensors: ({ images, targets, names }) => [
      { shape: [names.length, size, size, 3], data: images },
      { shape: mixing ? [names.length, labels.length] : [names.length], data: targets },
    ],
    inputs: [
      { shape: ['batch', size, size, 3] },
      mixing ? { shape: ['batch', labels.length] } : { shape: ['batch'], dtype: 'int32' },
    ],
    loss([images, targets], mode) {
      const logits = model.forward(images as tf.Tensor4D, mode);
      // The probabilities of mixed images are smoothed already.
      return { total: crossEntropy(logits, targets!, mixing ? {} : { labelSmoothing }) };
    },
    async evaluate(signal) {
      const guesses = createGuesses(heldOut.targets.length);
      const evaluation = await evaluateClassifier(classifier, {
        data,
        batchSize: 2 * batchSize,
        signal,
        onImage: guesses.add,
        ...(workers === undefined ? {} : { workers }),
        ...(onEvaluation ? { onProgress: onEvaluation } : {}),
      });
      last = { evaluation, guesses };
      const { top1, top5 } = evaluation.metrics;
      return { top1, top5 };
    },
    sections: async () => (last ? classificationSections(last.evaluation, last.guesses, heldOut) : []),
    metadata: () => encodeMetadata(model.config, labels, preprocessing),
  };

  const trainingData: TrainingData<ClassificationBatch> = {
    ...loadedData(
      {
        load: samplesFrom({ data, split: 'train', labels, preprocessing, augmentation }),
        sampler: () => createSampler(sampling),
        workers,
      },
      toBatch,
    ),
    describe: ({ names }) =>
      names.slice(0, 8).join(', ') + (names.length > 8 ? `, … (${names.length} images)` : ''),
    preview: ({ images, targets, names }) =>
      names.map((_, i) => {
        const values = images.subarray(i * size * size * 3, (i + 1) * size * size * 3);
        const image = denormalize(
          values,
          { height: size, width: size },
          preprocessing.mean,
          preprocessing.std,
        );
        return { image, caption: captionOf(targets, i, labels) };
      }),
    summary: () => ({ training: length, validation: heldOut.targets.length, classes: labels }),
  };

  return { task, data: trainingData, model, labels, preprocessing };
}

/** Mixing takes a batch in pairs. */
function assertPairs(images: number): void {
  if (images % 2 === 0) return;
  throw new AsMlpError('usage', {
    where: 'batchSize',
    what: `a batch of ${images} images cannot be mixed in pairs`,
    fix: 'Give an even number that the training images fill, or set augmentation.mixProbability=0',
  });
}

/** The class of image `i` of a batch, or the classes that are mixed in it: `cat 70 %, dog 30 %`. */
function captionOf(targets: Int32Array | Float32Array, i: number, labels: readonly string[]): string {
  if (targets instanceof Int32Array) return labels[targets[i]!]!;
  const row = [...targets.subarray(i * labels.length, (i + 1) * labels.length)];
  // What smoothing gives to every class.
  const least = Math.min(...row);
  return row
    .map((share, k) => ({ label: labels[k]!, percent: Math.round(100 * (share - least)) }))
    .filter(({ percent }) => percent > 0)
    .sort((a, b) => b.percent - a.percent)
    .map(({ label, percent }) => `${label} ${percent} %`)
    .join(', ');
}
