import {
  checkTarget,
  outputFolder,
  type ProgressLine,
  presentReport,
  readLines,
  type Verb,
  wholeNumber,
} from '@as-mlp/app';
import { segmentationReport } from './report.ts';

interface Flags {
  readonly pred: string;
  readonly gt: string;
  readonly classes: number;
  readonly ignore?: number;
  readonly reduceZeroLabel?: boolean;
  readonly labels?: string;
  readonly json?: string;
  readonly out?: string;
}

/** `score`: a folder of label maps against a folder of true ones, as mmsegmentation scores them. Opens no engine. */
export const score: Verb = (program, { terminal, signal }) => {
  program
    .command('score')
    .description('score label maps of any program, PNG files of class indices from 0')
    .requiredOption('--pred <folder>', 'predicted label maps, named like the true ones')
    .requiredOption('--gt <folder>', 'true label maps')
    .requiredOption('--classes <n>', 'how many classes there are', wholeNumber(1))
    .option('--ignore <label>', 'true pixels with this label count for nothing (255)', wholeNumber(0))
    .option(
      '--reduce-zero-label',
      '0 means unlabelled in the true label maps, and classes count from 1 there',
    )
    .option('--labels <file>', 'class names, one a line, in the order of the indices')
    .option('--json <file>', 'write the metrics as JSON; - is standard output')
    .option('--out <folder>', 'write the per-class table and the confusions')
    .action(async ({ pred, gt, classes, ignore, reduceZeroLabel, labels, json, out }: Flags) => {
      const { labelsFor, scoreFolders } = await import('@as-mlp/segmentation');
      await checkTarget(json);
      const named =
        labels === undefined ? {} : { labels: labelsFor(classes, await readLines(labels), labels) };
      const folder = out === undefined ? undefined : await outputFolder(out);
      let progress: ProgressLine | undefined;
      const metrics = await scoreFolders({
        predictions: pred,
        groundTruth: gt,
        numClasses: classes,
        ...named,
        ...(ignore === undefined ? {} : { ignore }),
        ...(reduceZeroLabel === undefined ? {} : { reduceZeroLabel }),
        signal,
        onProgress: (done, total) => {
          progress ??= terminal.progress('score', total, 'images');
          progress.update(done);
        },
      }).finally(() => progress?.stop());
      await presentReport(segmentationReport(metrics), { json, folder }, terminal);
    });
};
