import { join } from 'node:path';
import {
  confusionPicture,
  type EvaluationReport,
  formatCsv,
  formatTable,
  writePicture,
  writeText,
} from '@as-mlp/app';
import type { SegmentationMetrics } from '@as-mlp/segmentation';

/** Fractions as percentages; – where nothing defines them. */
const shown = (value: number | null) => (value === null ? '–' : (100 * value).toFixed(2));

const FIGURES = ['iou', 'acc', 'dice'] as const;

/** An evaluation as JSON, text, tables and a picture. Classes that are nowhere stand in tables, not in the picture. */
export function segmentationReport(metrics: SegmentationMetrics): Omit<EvaluationReport, 'failures'> {
  const { mIoU, mAcc, aAcc, perClass, confusion } = metrics;
  const summary = formatTable(
    ['%', 'mIoU', 'mAcc', 'aAcc'],
    [['all', shown(mIoU), shown(mAcc), shown(aAcc)]],
  );
  const rows = perClass.map((row) => [row.label, ...FIGURES.map((name) => shown(row[name]))]);
  return {
    json: { ...metrics },
    text: `${summary}\n${formatTable(['class', 'IoU', 'Acc', 'Dice'], rows)}`,
    async write(folder) {
      const table = perClass.map((row) => [row.label, row.index, ...FIGURES.map((name) => row[name])]);
      await writeText(join(folder, 'per-class.csv'), formatCsv([['label', 'index', ...FIGURES], ...table]));
      const labels = perClass.map(({ label }) => label);
      const counts = confusion.map((row, i) => [labels[i]!, ...row]);
      await writeText(
        join(folder, 'confusion.csv'),
        formatCsv([['true \\ predicted', ...labels], ...counts]),
      );
      // A class that is neither labelled nor predicted has no IoU.
      const seen = perClass.filter(({ iou }) => iou !== null).map(({ index }) => index);
      if (seen.length === 0) return;
      const matrix = seen.map((truth) => seen.map((predicted) => confusion[truth]![predicted]!));
      const picture = await confusionPicture(
        matrix,
        seen.map((index) => labels[index]!),
      );
      await writePicture(join(folder, 'confusion.png'), picture);
    },
  };
}
