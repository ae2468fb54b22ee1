import { checkTarget, choice, outputFolder, presentReport, type Verb } from '@as-mlp/app';
import { detectionReport } from './report.ts';

const TYPES = ['bbox', 'segm'] as const;

interface Flags {
  readonly gt: string;
  readonly dt: string;
  readonly type: (typeof TYPES)[number];
  readonly json?: string;
  readonly out?: string;
}

/** `score`: a COCO results file against a ground truth, as pycocotools scores it. Opens no engine. */
export const score: Verb = (program, { terminal }) => {
  program
    .command('score')
    .description('score a COCO results file of any program against a ground truth')
    .requiredOption('--gt <file>', 'the ground truth, such as instances_val2017.json')
    .requiredOption('--dt <file>', 'the results: [{ image_id, category_id, score, bbox | segmentation }, …]')
    .addOption(choice('--type <name>', 'what is compared', TYPES).makeOptionMandatory())
    .option('--json <file>', 'write the metrics as JSON; - is standard output')
    .option('--out <folder>', 'write the per-class table and curves')
    .action(async ({ gt, dt, type, json, out }: Flags) => {
      const { evaluateCoco, loadResults, openCoco, reportCoco } = await import('@as-mlp/detection');
      await checkTarget(json);
      const folder = out === undefined ? undefined : await outputFolder(out);
      const dataset = await openCoco(gt);
      for (const note of dataset.notes) terminal.log(note);
      const detections = await loadResults(dt, dataset);
      const strangers = detections.label.filter((label) => label < 0).length;
      if (strangers > 0) {
        const which = strangers === 1 ? 'detection of a category' : 'detections of categories';
        terminal.log(`${strangers} ${which} that the ground truth does not have: left out`);
      }
      const evaluations = [evaluateCoco(dataset, detections, type)];
      const metrics = reportCoco(dataset, evaluations);
      const report = detectionReport({ metrics, evaluations, dataset });
      await presentReport(report, { json, folder }, terminal);
    });
};
