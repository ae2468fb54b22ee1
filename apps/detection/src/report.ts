import { join } from 'node:path';
import { curveFigure, type EvaluationReport, formatCsv, formatTable, writeText } from '@as-mlp/app';
import type {
  CocoDataset,
  CocoEvaluation,
  CocoMetrics,
  DetectionEvaluation,
  DetectionMetrics,
} from '@as-mlp/detection';

type Scored = Pick<DetectionEvaluation, 'metrics' | 'evaluations' | 'dataset'>;

const TYPES = { bbox: 'boxes', segm: 'masks' } as const;

/** Fractions as percentages; − where there was nothing to find. */
const shown = (value: number | undefined) =>
  value === undefined || value < 0 ? '–' : (100 * value).toFixed(2);

/** An evaluation as JSON, text, a table and curves. */
export function detectionReport({
  metrics,
  evaluations,
  dataset,
}: Scored): Omit<EvaluationReport, 'failures'> {
  return {
    json: { ...metrics },
    text: `${summary(metrics)}\n${classTable(metrics)}`,
    async write(folder) {
      await writeText(join(folder, 'per-class.csv'), perClass(metrics));
      for (const evaluation of evaluations) {
        await writeText(join(folder, `pr-${evaluation.type}.svg`), await curves(evaluation, dataset));
      }
    },
  };
}

function summary(metrics: DetectionMetrics): string {
  const types = (['bbox', 'segm'] as const).filter((type) => metrics[type]);
  const names = Object.keys(metrics[types[0]!]!) as (keyof CocoMetrics)[];
  const rows = types.map((type) => [TYPES[type], ...names.map((name) => shown(metrics[type]![name]))]);
  return formatTable(['%', ...names], rows);
}

function columns({ bbox, segm }: DetectionMetrics) {
  const all = ['bboxAP', 'bboxAP50', 'bboxAR', 'segmAP', 'segmAP50', 'segmAR'] as const;
  return all.filter((name) => (name.startsWith('bbox') ? bbox : segm));
}

function classTable(metrics: DetectionMetrics): string {
  const names = columns(metrics);
  const rows = metrics.perClass.map((row) => [row.label, ...names.map((name) => shown(row[name]))]);
  return formatTable(['class', ...names], rows);
}

function perClass(metrics: DetectionMetrics): string {
  const names = columns(metrics);
  const rows = metrics.perClass.map((row) => [row.label, row.id, ...names.map((name) => row[name]!)]);
  return formatCsv([['label', 'id', ...names], ...rows]);
}

/** Precision over recall: the mean of the classes, and each class that has objects. */
async function curves(evaluation: CocoEvaluation, dataset: CocoDataset): Promise<string> {
  const { precisionCurve } = await import('@as-mlp/detection');
  const pair = (k?: number) =>
    [0.5, 0.75].map((iou) => {
      const values = precisionCurve(evaluation, iou, k);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return { name: `IoU ${iou.toFixed(2)}: ${shown(mean)} %`, values };
    });
  const small = evaluation.categoryIds.flatMap((id, k) => {
    const both = pair(k);
    // −1 stands for classes without objects.
    if (both[0]!.values[0]! < 0) return [];
    return [{ title: dataset.labels[dataset.labelOf(id) ?? -1] ?? 'all', curves: both }];
  });
  const hasObjects = small.length > 0;
  const title = `${TYPES[evaluation.type]}: mean of ${small.length} class${small.length === 1 ? '' : 'es'}`;
  const main = { title, curves: hasObjects ? pair() : [] };
  return curveFigure({ x: 'recall', y: 'precision', main, small });
}
