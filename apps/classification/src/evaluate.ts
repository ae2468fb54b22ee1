import { join } from 'node:path';
import {
  confusionPicture,
  type EvaluateFlags,
  type EvaluationReport,
  evaluateVerb,
  formatCsv,
  formatTable,
  percent,
  type WeightFlags,
  weightOptions,
  weightSettings,
  wholeNumber,
  writePicture,
  writeText,
} from '@as-mlp/app';
import type { Evaluation } from '@as-mlp/classification';

interface Flags extends EvaluateFlags, WeightFlags {
  readonly batch: number;
  readonly workers?: number;
}

/** `eval`: top-1, top-5, accuracy of each class and the confusion matrix. */
export const evaluate = evaluateVerb<Flags>({
  addOptions: (command) => {
    weightOptions(command)
      .option('--batch <n>', 'images at a time', wholeNumber(1), 32)
      .option('--workers <n>', 'threads that decode images', wholeNumber(0));
  },
  async evaluate(flags, { engine, signal, log, onProgress }) {
    const { evaluateClassifier, loadClassifier } = await import('@as-mlp/classification');
    const classifier = await loadClassifier(flags.weights, {
      ...(await weightSettings(flags)),
      compile: engine.compile,
    });
    for (const note of classifier.notes) log(note);
    try {
      const { data, split, batch: batchSize, workers } = flags;
      const threads = workers === undefined ? {} : { workers };
      const options = { data, split, batchSize, signal, onProgress, ...threads };
      return evaluationReport(await evaluateClassifier(classifier, options));
    } finally {
      classifier.dispose();
    }
  },
});

/** An evaluation as JSON, text, tables and a picture. */
export function evaluationReport({ metrics, perClass, confusion, failures }: Evaluation): EvaluationReport {
  const { top1, top5, count } = metrics;
  // A class may have no image and still be an answer: its column belongs to the confusions.
  const isAnswer = (index: number) =>
    perClass.some((row) => confusion[row.index * perClass.length + index]! > 0);
  const seen = perClass.filter((row) => row.count > 0 || isAnswer(row.index));
  return {
    json: { top1, top5, count },
    text: formatTable(['top-1', 'top-5', 'images'], [[percent(top1, 2), percent(top5, 2), String(count)]]),
    failures,
    async write(folder) {
      const rows = perClass.map((row) => [row.label, row.index, row.count, row.top1] as const);
      await writeText(
        join(folder, 'per-class.csv'),
        formatCsv([['label', 'index', 'images', 'top1'], ...rows]),
      );
      const indices = seen.map(({ index }) => index);
      const labels = seen.map(({ label }) => label);
      const matrix = indices.map((truth) =>
        indices.map((predicted) => confusion[truth * perClass.length + predicted]!),
      );
      const table = [['true \\ predicted', ...labels], ...matrix.map((row, i) => [labels[i]!, ...row])];
      await writeText(join(folder, 'confusion.csv'), formatCsv(table));
      if (seen.length > 0)
        await writePicture(join(folder, 'confusion.png'), await confusionPicture(matrix, labels));
    },
  };
}
