import { join } from 'node:path';
import { type Command, type EvaluateFlags, evaluateVerb, weightOptions, wholeNumber } from '@as-mlp/app';
import { detectionReport } from './report.ts';
import { type DetectorFlags, openDetector, scaleOption } from './weights.ts';

interface Flags extends EvaluateFlags, DetectorFlags {
  readonly limit?: number;
  readonly masks: boolean;
}

/** `eval`: the twelve figures of COCO for boxes and masks, every class, curves, and the detections themselves. */
export const evaluate = evaluateVerb<Flags>({
  splits: ['train', 'val'],
  addOptions: (command: Command) => {
    scaleOption(weightOptions(command))
      .option('--limit <n>', 'only the first images of the annotation file', wholeNumber(1))
      .option('--no-masks', 'score boxes alone, which is faster');
  },
  async evaluate(flags, { engine, signal, log, onProgress }) {
    const { evaluateDetector, openHeldOut, writeResults } = await import('@as-mlp/detection');
    const detector = await openDetector(flags, engine.compile, log);
    try {
      const { data, limit } = flags;
      const split = flags.split as 'train' | 'val';
      const heldOut = await openHeldOut(data, { classes: detector.labels, split, limit });
      const { dataset } = heldOut;
      for (const note of dataset.notes) log(note);
      if (flags.masks && dataset.maskless > 0) {
        log(`${dataset.maskless} objects of the data set have no mask: boxes alone are scored`);
      }
      const options = { data: heldOut, signal, onProgress, onError: 'skip' } as const;
      const evaluation = await evaluateDetector(
        detector,
        flags.masks ? options : { ...options, masks: false },
      );
      const report = detectionReport(evaluation);
      return {
        ...report,
        failures: evaluation.failures,
        async write(folder) {
          await report.write(folder);
          for (const { type } of evaluation.evaluations) {
            await writeResults(join(folder, `detections-${type}.json`), evaluation.detections, dataset, type);
          }
        },
      };
    } finally {
      detector.dispose();
    }
  },
});
