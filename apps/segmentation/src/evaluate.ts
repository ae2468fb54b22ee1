import {
  type Command,
  type EvaluateFlags,
  evaluateVerb,
  type WeightFlags,
  weightOptions,
  wholeNumber,
} from '@as-mlp/app';
import { segmentationReport } from './report.ts';
import { openSubmission } from './submission.ts';
import { segmentOptions, type ViewFlags, viewOptions } from './views.ts';
import { openSegmenter } from './weights.ts';

interface Flags extends EvaluateFlags, WeightFlags, ViewFlags {
  readonly limit?: number;
  readonly reduceZeroLabel?: boolean;
  readonly submission?: string;
}

/** `eval`: mIoU, mean accuracy and accuracy of all pixels, the figures of each class, and what is taken for what. */
export const evaluate = evaluateVerb<Flags>({
  splits: ['train', 'val'],
  addOptions: (command: Command) => {
    viewOptions(weightOptions(command))
      .option('--limit <n>', 'only the first images', wholeNumber(1))
      .option('--reduce-zero-label', '0 means unlabelled in label maps, and classes count from 1')
      .option('--no-reduce-zero-label', 'classes count from 0 (unless given, the list of classes decides)')
      .option(
        '--submission <folder>',
        'write what was predicted as label maps, numbered as those of the data set',
      );
  },
  async evaluate(flags, { engine, signal, log, onProgress }) {
    const { compareClasses, evaluateSegmenter, openExamples } = await import('@as-mlp/segmentation');
    const { data, limit, reduceZeroLabel, submission } = flags;
    const examples = openExamples(data, flags.split as 'train' | 'val', { limit, reduceZeroLabel });
    const segmenter = await openSegmenter(flags, engine.compile, log);
    try {
      for (const note of compareClasses(segmenter.labels, examples.labels, data)) log(note);
      const onImage = submission === undefined ? undefined : await openSubmission(submission, examples);
      const { metrics, failures } = await evaluateSegmenter(segmenter, {
        data: examples,
        segment: segmentOptions(flags),
        signal,
        onProgress,
        onError: 'skip',
        ...(onImage ? { onImage } : {}),
      });
      return { ...segmentationReport(metrics), failures };
    } finally {
      segmenter.dispose();
    }
  },
});
