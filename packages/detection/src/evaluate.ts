import { AsMlpError } from '@as-mlp/base';
import type { CocoDataset } from './coco/coco-dataset.ts';
import { type CocoEvaluation, evaluateCoco } from './coco/coco-eval.ts';
import type { DetectionMetrics } from './coco/coco-metrics.ts';
import { DetectionCollector, type Detections } from './coco/detections.ts';
import { rleFromJson } from './coco/rle.ts';
import { reportCoco } from './coco/score-coco.ts';
import { type HeldOut, openHeldOut } from './data/examples.ts';
import type { Detector } from './detector.ts';

/** What to evaluate on, and how. */
export interface DetectionEvaluationOptions {
  /** A COCO folder, as {@link findCocoFolder} reads it, `digit-scenes`, or what `openHeldOut` made of them. */
  readonly data: string | HeldOut;
  /** Whether masks are computed and scored too; unless given, where every object of the data set has one. */
  readonly masks?: boolean;
  readonly signal?: AbortSignal;
  /** Called after every image. */
  readonly onProgress?: (done: number, total: number) => void;
  /** What to do with an image that cannot be read: end with its error (unless given), or leave it out and name it. */
  readonly onError?: 'throw' | 'skip';
}

/** The result of an evaluation. */
export interface DetectionEvaluation {
  readonly metrics: DetectionMetrics;
  /** Of boxes, then of masks where they were scored: all curves behind the metrics. */
  readonly evaluations: readonly CocoEvaluation[];
  readonly dataset: CocoDataset;
  readonly detections: Detections;
  /** Images that could not be read; their objects count as missed. */
  readonly failures: readonly AsMlpError[];
}

/** Evaluation of a detector as the COCO challenge does it, on the `val` part of a data set. */
export async function evaluateDetector(
  detector: Detector,
  { data, masks: asked, signal, onProgress, onError = 'throw' }: DetectionEvaluationOptions,
): Promise<DetectionEvaluation> {
  const { dataset, load } =
    typeof data === 'string' ? await openHeldOut(data, { classes: detector.labels }) : data;
  const masks = asked ?? dataset.maskless === 0;
  const collector = new DetectionCollector(dataset);
  const failures: AsMlpError[] = [];
  const total = dataset.images.length;
  for (let index = 0; index < total; index++) {
    signal?.throwIfAborted();
    try {
      const image = await load(index);
      const found = await detector.detectColumns(image, { masks });
      const rles = found.masks?.map((mask) => rleFromJson(mask));
      collector.add(index, {
        boxes: found.boxes,
        scores: found.scores,
        labels: found.labels,
        ...(rles ? { masks: rles } : {}),
      });
    } catch (error) {
      const isImage = error instanceof AsMlpError && (error.kind === 'image' || error.kind === 'input');
      if (onError === 'throw' || !isImage) throw error;
      failures.push(error);
    }
    onProgress?.(index + 1, total);
  }
  const boxes = evaluateCoco(dataset, collector.detections('box'), 'bbox');
  const detections = collector.detections('mask');
  const evaluations = masks ? [boxes, evaluateCoco(dataset, detections, 'segm')] : [boxes];
  return { metrics: reportCoco(dataset, evaluations), evaluations, dataset, detections, failures };
}
