import type { CocoDataset } from './coco-dataset.ts';
import { type CocoEvalOptions, type CocoEvaluation, evaluateCoco } from './coco-eval.ts';
import { type ClassMetrics, type DetectionMetrics, summarizeClasses, summarizeCoco } from './coco-metrics.ts';
import { loadResults } from './coco-results.ts';
import type { DetectionCollector } from './detections.ts';
import type { IouType } from './match-class.ts';
import { openCoco } from './open-coco.ts';

/** What to score, against what. */
export interface ScoreOptions extends Omit<CocoEvalOptions, 'useCategories'> {
  /** The ground truth: a COCO file, or one that was read. */
  readonly gt: string | CocoDataset;
  /** A COCO results file or its content. */
  readonly results: string | readonly unknown[];
  readonly type: IouType;
}

/**
 * Scores a COCO results file against a ground truth: the figures that pycocotools gives, for boxes or for masks.
 * Throws AsMlpError('input') as `openCoco` and `loadResults` do.
 */
export async function scoreCoco({ gt, results, type, ...options }: ScoreOptions): Promise<DetectionMetrics> {
  const dataset = typeof gt === 'string' ? await openCoco(gt) : gt;
  const detections = await loadResults(results, dataset);
  return reportCoco(dataset, [evaluateCoco(dataset, detections, type, options)]);
}

/**
 * Scores what a model found, as {@link scoreCoco} would score the files of `writeResults`: boxes by the area of the box, masks by
 * that of the mask. `maskAreas: 'box'` takes the box for both, as mmdetection 2.11 did.
 * Throws AsMlpError('input') where `segm` is asked for and a detection has no mask.
 */
export function scoreDetections(
  dataset: CocoDataset,
  found: DetectionCollector,
  types: readonly IouType[],
  { maskAreas = 'mask' }: { readonly maskAreas?: 'mask' | 'box' } = {},
): DetectionMetrics {
  const evaluations = types.map((type) => {
    const detections = found.detections(type === 'segm' ? maskAreas : 'box');
    return evaluateCoco(dataset, detections, type);
  });
  return reportCoco(dataset, evaluations);
}

/** The figures of one evaluation of boxes, one of masks, or both, side by side. */
export function reportCoco(dataset: CocoDataset, evaluations: readonly CocoEvaluation[]): DetectionMetrics {
  const figures = Object.fromEntries(evaluations.map((one) => [one.type, summarizeCoco(one)]));
  const columns = evaluations.map((one) => ({ type: one.type, classes: summarizeClasses(one) }));
  const ids = evaluations[0]?.categoryIds ?? [];
  const perClass = ids.map((id, k): ClassMetrics => {
    const named = columns.flatMap(({ type, classes }) =>
      Object.entries(classes[k]!).map(([name, value]) => [`${type}${name}`, value]),
    );
    return { label: dataset.labels[dataset.labelOf(id) ?? -1] ?? 'all', id, ...Object.fromEntries(named) };
  });
  return { ...figures, perClass };
}
