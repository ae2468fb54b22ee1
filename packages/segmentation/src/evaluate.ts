import { AsMlpError } from '@as-mlp/base';
import type { LabelMap } from '@as-mlp/data';
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
  /** Called with what the network says of an image and what is true of it, class indices from 0. */
  readonly onImage?: (index: number, prediction: LabelMap, truth: LabelMap) => void;
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
 * @throws AsMlpError (input) when the data set has another number of classes.
 */
export async function evaluateSegmenter(
  segmenter: Segmenter,
  options: SegmentationEvaluationOptions,
): Promise<SegmentationEvaluation> {
  const { data, segment, signal, onProgress, onImage, onError = 'throw' } = options;
  const examples = typeof data === 'string' ? openExamples(data, 'val', options) : data;
  const { labels } = segmenter;
  if (examples.labels.length !== labels.length) {
    throw new AsMlpError('input', {
      where: typeof data === 'string' ? data : 'the data set',
      what: `it has ${examples.labels.length} classes, and the network ${labels.length}`,
      fix: 'Evaluate on the classes that the network was trained for',
    });
  }
  const confusion = createConfusion(labels.length);
  const failures: AsMlpError[] = [];
  for (let index = 0; index < examples.length; index++) {
    signal?.throwIfAborted();
    try {
      const { image, labels: truth } = await examples.load(index);
      const prediction = await segmenter.segmentLabels(image, segment);
      addToConfusion(confusion, prediction, truth, {
        ignore: examples.ignore,
        labelName: examples.name(index),
      });
      onImage?.(index, prediction, truth);
    } catch (error) {
      const isImage = error instanceof AsMlpError && (error.kind === 'image' || error.kind === 'input');
      if (onError === 'throw' || !isImage) throw error;
      failures.push(error);
    }
    onProgress?.(index + 1, examples.length);
  }
  return { metrics: segmentationMetrics(confusion, labels), failures };
}
