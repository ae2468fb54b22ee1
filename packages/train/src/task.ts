import type { HostPart, HostTensor } from '@as-mlp/engine';
import type { DecayRule, InputSpec, Mode, Module } from '@as-mlp/nn';
import type * as tf from '@tensorflow/tfjs-core';
import type { ReportSection } from './report-section.ts';

/** The loss of one batch: a scalar to differentiate and the named scalars it is made of, for the log. */
export interface LossTerms {
  readonly total: tf.Scalar;
  readonly parts?: Readonly<Record<string, tf.Scalar>>;
}

/** The figure that decides which weights are the best. */
export interface MainMetric {
  /** A key of what `evaluate` returns. */
  readonly name: string;
  readonly better: 'higher' | 'lower';
}

/** An image of a batch as a person would look at it. */
export interface PreviewImage {
  /** Bytes of red, green and blue, row by row: an `RgbImage` of `@as-mlp/data`. */
  readonly image: { readonly height: number; readonly width: number; readonly data: Uint8Array };
  readonly caption: string;
  /** What is in it, where that is more than the caption says. */
  readonly objects?: readonly PreviewObject[] | undefined;
}

/** An object in an image. */
export interface PreviewObject {
  readonly label: string;
  /** Class index. */
  readonly index: number;
  /** x0, y0, x1, y1 in pixels of the image. */
  readonly box: readonly number[];
  /** One byte a pixel of the image, row by row, not 0 inside. */
  readonly mask?: () => Uint8Array;
}

/** How much there is to learn from. */
export interface DataSummary {
  /** Images to train and to evaluate on. */
  readonly training: number;
  readonly validation: number;
  readonly classes: readonly string[];
}

/**
 * What {@link fit} trains: a model, its loss, and how it is judged. `Batch` is the task's own: plain data on the host (pixels,
 * labels, boxes), which a {@link TrainingData} makes ahead of time.
 */
export interface Task<Batch> {
  /** Stands in the checkpoints, e.g. `classification`. */
  readonly name: string;
  /** Initialised or loaded. The task keeps owning it: `fit` changes its values and does not dispose it. */
  readonly model: Module;
  /** The parameters that weight decay spares. */
  readonly decayRule: DecayRule;
  readonly metric: MainMetric;

  /** What `loss` gets of a batch, and after it what only `host` gets. */
  tensors(batch: Batch): readonly HostTensor[];

  /**
   * What `loss` gets of every batch, which lets the engine compile the whole training step where it can. `loss` then runs a
   * few times on zeros and not for each batch. Left out: every operation runs by itself.
   */
  readonly inputs?: readonly InputSpec[];

  /** What plain code computes in the middle of `loss`, which asks for it by `mode.ask`; left out: nothing. */
  readonly host?: HostPart;

  /**
   * Forward pass and loss, without waiting for anything. Runs inside `tf.tidy`: tensors that it makes are freed. All
   * randomness comes from `mode`. With accumulated batches every one must have the same `parts`.
   */
  loss(tensors: tf.Tensor[], mode: Mode): LossTerms;

  /** Metrics of the current weights on the held-out data. May throw as soon as `signal` aborts. */
  evaluate(signal: AbortSignal): Promise<Record<string, number>>;

  /**
   * What the last evaluation found beside its metrics, for the report: tables, curves, the best and the worst examples. Called
   * before the weights change again.
   */
  sections?(): Promise<readonly ReportSection[]>;

  /** Header of the weight files: all that prediction needs beside the tensors. */
  metadata(): Record<string, string>;
}

/** What a {@link Task} is trained on by {@link fit}. What it is judged on is the task's affair. */
export interface TrainingData<Batch> {
  /** Batches that `batches` gives for one whole epoch. */
  readonly batchesPerEpoch: number;

  /**
   * The batches of epoch `epoch` (from 0), from number `start` (from 0) on. A pure function of both: the same batches
   * come in the same order however often training was interrupted. The next batch is asked for while the last one is
   * trained on. A generator may free what it holds in `finally`.
   */
  batches(epoch: number, start: number): AsyncIterable<Batch>;

  /** Ends what stays between two epochs, such as threads. Called when a training is over; batches may be asked for again after it. */
  close?(): Promise<void>;

  /** Names a batch in error messages, e.g. by its files. */
  describe?(batch: Batch): string;

  /** The images of a batch as they go into the network, for people to check. */
  preview?(batch: Batch): readonly PreviewImage[];

  /** How much there is to learn from, for the report and before a training. */
  summary?(): DataSummary;
}
