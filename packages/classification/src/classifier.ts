import { chooseShiftSize, inferArchitecture } from '@as-mlp/backbone';
import { AsMlpError } from '@as-mlp/base';
import type { RgbImage } from '@as-mlp/data';
import { type Compile, type Compiled, runEagerly, type WeightFile } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { labelsFor } from './labels.ts';
import { decodeMetadata, mergePreprocessing } from './metadata.ts';
import { softmax, topK } from './metrics.ts';
import { type ClassificationConfig, ClassificationModel } from './model.ts';
import { evaluationBatch, type Preprocessing } from './preprocess.ts';

/** One class and its softmax score in [0, 1]. */
export interface Prediction {
  readonly label: string;
  readonly index: number;
  readonly score: number;
}

/** What to say about a network that its weights cannot say. */
export interface ClassifierOptions {
  /**
   * The shift size of the network. Weights do not show it: a file's metadata wins, then this, then 5. Naming another
   * size than the file does is an error.
   */
  readonly shiftSize?: ClassificationConfig['shiftSize'];
  /** Class names in the order of the outputs; else the file's, else ImageNet's for 1000 classes. */
  readonly labels?: readonly string[];
  /** Changes to the preprocessing that the file or ImageNet defines. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** Makes the network fast: `compile` of the open engine. Weights that change later need a new classifier then. */
  readonly compile?: Compile;
}

/** A network ready to classify. Call `dispose` when done. */
export interface Classifier {
  readonly model: ClassificationModel;
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
  /** Facts worth telling a user, such as a shift size that had to be assumed. */
  readonly notes: readonly string[];
  /** Normalised images `[B, H, W, 3]` → logits `[B · K]`, row-major. */
  logits(images: tf.Tensor4D): Promise<Float32Array>;
  /** The `topK` best classes of each image (default 5), best first. Images are preprocessed here. */
  classify(images: readonly RgbImage[], options?: { topK?: number }): Promise<Prediction[][]>;
  /** The best classes of one image. */
  classify(image: RgbImage, options?: { topK?: number }): Promise<Prediction[]>;
  dispose(): void;
}

/** Wraps a model, labels and preprocessing as a {@link Classifier} that owns the model. */
export function createClassifier(
  model: ClassificationModel,
  options: {
    labels?: readonly string[];
    preprocessing?: Partial<Preprocessing>;
    notes?: readonly string[];
    compile?: Compile;
  } = {},
): Classifier {
  const { numClasses } = model.config;
  const labels = labelsFor(numClasses, options.labels, 'labels');
  const preprocessing = mergePreprocessing(options.preprocessing);

  const { compile = runEagerly } = options;
  const { size } = preprocessing;
  const forward = (images: tf.Tensor) => model.forward(images as tf.Tensor4D);
  let compiled: Promise<Compiled<typeof forward>> | undefined;

  async function logits(images: tf.Tensor4D): Promise<Float32Array> {
    compiled ??= compile(forward, { inputs: [{ shape: ['batch', size, size, 3] }] });
    const isOfThisSize = images.shape[1] === size && images.shape[2] === size;
    const output = isOfThisSize ? await (await compiled)(images) : forward(images);
    try {
      return (await output.data()) as Float32Array;
    } finally {
      output.dispose();
    }
  }

  async function classifyAll(images: readonly RgbImage[], k: number): Promise<Prediction[][]> {
    const input = tf.tensor4d(evaluationBatch(images, preprocessing), [images.length, size, size, 3]);
    const scores = await logits(input).finally(() => input.dispose());
    return images.map((_, row) => {
      const probabilities = softmax(scores.subarray(row * numClasses, (row + 1) * numClasses));
      return topK(probabilities, Math.min(k, numClasses)).map((index) => ({
        label: labels[index]!,
        index,
        score: probabilities[index]!,
      }));
    });
  }

  async function classify(
    images: RgbImage | readonly RgbImage[],
    options: { topK?: number } = {},
  ): Promise<Prediction[] | Prediction[][]> {
    const k = options.topK ?? 5;
    if ('data' in images) return (await classifyAll([images], k))[0]!;
    return images.length === 0 ? [] : classifyAll(images, k);
  }

  return {
    model,
    labels,
    preprocessing,
    notes: options.notes ?? [],
    logits,
    classify: classify as Classifier['classify'],
    dispose: () => {
      void compiled?.then((graph) => graph.dispose());
      model.dispose();
    },
  };
}

/** What a weight file says its network is; tells `info` without loading a value. */
export interface ClassificationFile {
  readonly config: ClassificationConfig;
  readonly labels: readonly string[] | undefined;
  readonly preprocessing: Preprocessing;
  readonly notes: readonly string[];
}

/** Reads architecture, labels and preprocessing of a file from its shapes and metadata. */
export function inspectWeights(
  file: WeightFile,
  source: string,
  options: ClassifierOptions = {},
): ClassificationFile {
  const { config, out } = inferArchitecture(file.entries, { source });
  const head = file.entries.get('head.weight')?.shape;
  if (out !== 'final' || head?.length !== 2) {
    throw new AsMlpError('weights', {
      where: source,
      what: head
        ? `head.weight is a ${file.entries.get('head.weight')!.dtype} of shape [${head}]`
        : 'these weights have no classification head (head.weight)',
      fix: 'Use a classification checkpoint',
    });
  }
  const said = decodeMetadata(file.metadata, source);
  const { shiftSize, notes } = chooseShiftSize(said.shiftSize, options.shiftSize, source);
  return {
    config: { ...config, ...said.ablations, shiftSize, numClasses: head[0]! },
    labels: options.labels ?? said.labels,
    preprocessing: mergePreprocessing(said.preprocessing, options.preprocessing),
    notes,
  };
}

/** A classifier from an opened weight file. Fails before taking memory when file and network do not fit. */
export async function classifierFromWeights(
  file: WeightFile,
  source: string,
  options: ClassifierOptions = {},
): Promise<Classifier> {
  const { config, labels, preprocessing, notes } = inspectWeights(file, source, options);
  const named = labelsFor(config.numClasses, labels, options.labels ? 'labels' : source);
  const model = new ClassificationModel(config);
  try {
    await model.load(file.entries, { source });
  } catch (error) {
    model.dispose();
    throw error;
  }
  const { compile } = options;
  return createClassifier(model, { labels: named, preprocessing, notes, ...(compile ? { compile } : {}) });
}
