import { AsMlpError } from '@as-mlp/base';
import type { LabelMap } from '@as-mlp/data';
import { compareClasses, isUnnamed } from './data/class-names.ts';
import { type ExampleOptions, type ExampleSource, openExamples } from './data/examples.ts';
import { addToConfusion, createConfusion } from './metrics/confusion.ts';
import { type SegmentationMetrics, segmentationMetrics } from './metrics/metrics.ts';
import type { Segmenter, SegmentOptions } from './segmenter.ts';

/** What to evaluate on, and how. */
export interface SegmentationEvaluationOptions extends ExampleOptions {
  /** A folder, as `openSegmentationFolder` reads it, `digit-scenes`, or what `openExamples` made of them. */
  readonly data: string | ExampleSource;
  /** How images are looked at; one view of the whole image unless given. */
  readonly segment?: SegmentOptions;
  readonly signal?: AbortSignal;
  /** Called after every image. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Told what the network says of each image and what is true of it, class indices from 0, before the next one is looked at. */
  readonly onImage?: (index: number, prediction: LabelMap, truth: LabelMap) => void | Promise<void>;
  /** What to do with an image that cannot be read: end with its error (unless given), or leave it out and name it. */
  readonly onError?: 'throw' | 'skip';
}

/** The result of an evaluation. */
export interface SegmentationEvaluation {
  readonly metrics: SegmentationMetrics;
  /** Images that could not be read; they count for nothing. */
  readonly failures: readonly AsMlpError[];
}

/**
 * Evaluation of a segmenter at the original size of the images of the `val` part of a data set.
 *
 * @throws AsMlpError (input) when the data set has another number of classes, or the same in another order.
 */
export async function evaluateSegmenter(
  segmenter: Segmenter,
  options: SegmentationEvaluationOptions,
): Promise<SegmentationEvaluation> {
  const { data, segment, signal, onProgress, onImage, onError = 'throw' } = options;
  const examples = typeof data === 'string' ? openExamples(data, 'val', options) : data;
  const { labels } = segmenter;
  compareClasses(labels, examples.labels, typeof data === 'string' ? data : 'the data set');
  const confusion = createConfusion(labels.length);
  const failures: AsMlpError[] = [];
  for (let index = 0; index < examples.length; index++) {
    signal?.throwIfAborted();
    let [prediction, truth]: LabelMap[] = [];
    try {
      const example = await examples.load(index);
      truth = example.labels;
      prediction = await segmenter.segmentLabels(example.image, segment);
      addToConfusion(confusion, prediction, truth, {
        ignore: examples.ignore,
        labelName: examples.name(index),
      });
    } catch (error) {
      const isImage = error instanceof AsMlpError && (error.kind === 'image' || error.kind === 'input');
      if (onError === 'throw' || !isImage) throw error;
      failures.push(error);
      onProgress?.(index + 1, examples.length);
      continue;
    }
    await onImage?.(index, prediction, truth);
    onProgress?.(index + 1, examples.length);
  }
  const names = isUnnamed(labels) ? examples.labels : labels;
  return { metrics: segmentationMetrics(confusion, names), failures };
}
