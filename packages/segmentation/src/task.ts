import { AsMlpError } from '@as-mlp/base';
import { createSampler, type Rgb } from '@as-mlp/data';
import { loadedData, type Task, type TrainingData } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';
import { segmentationConfig } from './config.ts';
import { openExamples } from './data/examples.ts';
import { evaluateSegmenter, type SegmentationEvaluation } from './evaluate.ts';
import { encodeMetadata } from './metadata.ts';
import { createSegmentationModel, type SegmentationModel } from './model.ts';
import { paletteFor } from './names.ts';
import { ADE20K_PREPROCESSING, type Preprocessing } from './predict/preprocess.ts';
import type { SegmentationRecipe } from './recipe.ts';
import { samplesFrom } from './samples.ts';
import { imageScore, segmentationSections } from './sections.ts';
import { createSegmenter, type SegmentOptions } from './segmenter.ts';
import { segmentationLosses } from './training/losses.ts';
import { previewBatch } from './training/preview.ts';

/** A batch on its way to the network. */
export interface SegmentationBatch {
  /** `[B, crop, crop, 3]` normalised values, row-major. */
  readonly images: Float32Array;
  /** `[B, crop, crop]` class indices, and the ignored index. */
  readonly labels: Int32Array;
  readonly names: readonly string[];
}

/** What `fit` trains a segmenter by, with what it was made from. */
export interface SegmentationTraining {
  readonly task: Task<SegmentationBatch>;
  readonly data: TrainingData<SegmentationBatch>;
  /** The task's model. */
  readonly model: SegmentationModel;
  readonly labels: readonly string[];
  readonly palette: readonly Rgb[];
  readonly preprocessing: Preprocessing;
}

/** Options of {@link createSegmentationTask}. */
export interface SegmentationTaskOptions {
  /** A folder, as `openSegmentationFolder` reads it, or `digit-scenes`. */
  readonly data: string;
  readonly recipe: SegmentationRecipe;
  /** Told how far an evaluation is. */
  readonly onEvaluation?: (done: number, total: number) => void;
}

/** How evaluations look at an image. */
function viewsOf({ testMode, testFlip, testScales, cropSize }: SegmentationRecipe): SegmentOptions {
  const stride = Math.max(1, Math.floor((2 * cropSize) / 3));
  return {
    mode: testMode,
    flip: testFlip,
    scales: testScales,
    crop: { height: cropSize, width: cropSize },
    stride: { height: stride, width: stride },
  };
}

/**
 * Training of a fresh network on the `train` part of a data set, evaluated on its `val` part.
 *
 * @throws AsMlpError (input) when a part cannot be opened or has a single training image.
 */
export function createSegmentationTask(options: SegmentationTaskOptions): SegmentationTraining {
  const { data, recipe, onEvaluation } = options;
  const { batchSize, cropSize, seed, reduceZeroLabel, augmentation } = recipe;
  const training = openExamples(data, 'train', { reduceZeroLabel });
  // Found out now rather than after the first epoch.
  const heldOut = openExamples(data, 'val', { reduceZeroLabel });
  const { labels, ignore, length } = training;
  if (length < 2) {
    throw new AsMlpError('input', {
      where: data,
      what: `there are ${length} training images, and batch norms need two`,
      fix: 'Add images',
    });
  }
  const sampling = { length, batchSize, shuffle: true, dropLast: length >= batchSize, seed };
  const config = segmentationConfig(recipe.model, {
    numClasses: labels.length,
    ...(recipe.widths.embedDim === undefined ? {} : { embedDim: recipe.widths.embedDim }),
    ...(recipe.widths.channels === undefined ? {} : { channels: recipe.widths.channels }),
    ...(recipe.widths.auxiliaryChannels === undefined
      ? {}
      : { auxiliaryChannels: recipe.widths.auxiliaryChannels }),
    ...(recipe.shiftSize === null ? {} : { shiftSize: recipe.shiftSize }),
    ...(recipe.dropPathRate === null ? {} : { dropPathRate: recipe.dropPathRate }),
  });
  const model = createSegmentationModel(config, { seed });
  const palette = training.palette ?? paletteFor(labels.length);
  const preprocessing = {
    ...ADE20K_PREPROCESSING,
    longSide: recipe.testLongSide,
    shortSide: recipe.testShortSide,
  };
  // Not compiled: its weights change between evaluations.
  const segmenter = createSegmenter(model, { labels, palette, preprocessing });
  const { mean, std } = preprocessing;
  const segment = viewsOf(recipe);
  let last: { evaluation: SegmentationEvaluation; scores: Float64Array } | undefined;

  const task: Task<SegmentationBatch> = {
    name: 'segmentation',
    model,
    decayRule: 'dense',
    metric: { name: 'mIoU', better: 'higher' },
    tensors: ({ images, labels: pixels, names }) => [
      { shape: [names.length, cropSize, cropSize, 3], data: images },
      { shape: [names.length, cropSize, cropSize], data: pixels },
    ],
    inputs: [
      { shape: ['batch', cropSize, cropSize, 3] },
      { shape: ['batch', cropSize, cropSize], dtype: 'int32' },
    ],
    loss([images, pixels], mode) {
      const { losses, accuracies } = segmentationLosses(model, images as tf.Tensor4D, pixels as tf.Tensor3D, {
        mode,
        ignore,
      });
      return { total: tf.addN(Object.values(losses)) as tf.Scalar, parts: { ...losses, ...accuracies } };
    },
    async evaluate(signal) {
      const scores = new Float64Array(heldOut.length).fill(Number.NaN);
      const numClasses = labels.length;
      const evaluation = await evaluateSegmenter(segmenter, {
        data: heldOut,
        signal,
        segment,
        onImage: (index, prediction, truth) => {
          scores[index] = imageScore(prediction, truth, { numClasses, ignore });
        },
        ...(onEvaluation ? { onProgress: onEvaluation } : {}),
      });
      last = { evaluation, scores };
      const { mIoU, mAcc, aAcc } = evaluation.metrics;
      if (mIoU === null || mAcc === null || aAcc === null) {
        throw new AsMlpError('input', {
          where: data,
          what: 'all pixels of the validation part are ignored',
          fix: 'Check its label maps, and whether 0 means unlabelled (reduceZeroLabel)',
        });
      }
      return { mIoU, mAcc, aAcc };
    },
    sections: async () =>
      last ? segmentationSections(last.evaluation, last.scores, segmenter, heldOut, segment) : [],
    metadata: () => encodeMetadata(config, labels, palette, preprocessing),
  };

  const trainingData: TrainingData<SegmentationBatch> = {
    ...loadedData<string, SegmentationBatch>(
      {
        load: samplesFrom({ data, cropSize, reduceZeroLabel, augmentation, statistics: { mean, std } }),
        sampler: () => createSampler(sampling),
        workers: recipe.workers ?? undefined,
      },
      ({ tensors, meta: names }) => ({
        images: tensors.image as Float32Array,
        labels: tensors.labels as Int32Array,
        names,
      }),
    ),
    describe: ({ names }) => names.join(', '),
    preview: (batch) => previewBatch(batch, cropSize, palette, preprocessing),
    summary: () => ({ training: length, validation: heldOut.length, classes: labels }),
  };

  return { task, data: trainingData, model, labels, palette, preprocessing };
}
