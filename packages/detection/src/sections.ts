import {
  type CurvesSection,
  extremes,
  type PictureObject,
  type PicturesSection,
  type ReportSection,
} from '@as-mlp/train';
import type { CocoDataset } from './coco/coco-dataset.ts';
import type { CocoEvaluation } from './coco/coco-eval.ts';
import { precisionCurve } from './coco/coco-metrics.ts';
import type { Detections } from './coco/detections.ts';
import { imageScores } from './coco/image-scores.ts';
import type { HeldOut } from './data/examples.ts';
import type { DetectionEvaluation } from './evaluate.ts';

const TYPES = { bbox: 'boxes', segm: 'masks' } as const;
/** Images of each kind that a report shows. */
const EXAMPLES = 4;
/** Detections below it are neither drawn nor counted in the examples. */
const MIN_SCORE = 0.3;

/** What an evaluation found, for a report: every class, curves, and the images that came out best and worst. */
export async function detectionSections(
  evaluation: DetectionEvaluation,
  load: HeldOut['load'],
): Promise<ReportSection[]> {
  const { dataset, detections, evaluations } = evaluation;
  const scores = imageScores(dataset, detections, MIN_SCORE);
  const examples = async (title: string, which: 'highest' | 'lowest'): Promise<PicturesSection> => {
    const pictures = [];
    for (const index of extremes(scores, EXAMPLES, which)) {
      const image = await load(index);
      pictures.push({
        caption: `${dataset.images[index]!.fileName}: F1 ${scores[index]!.toFixed(2)}`,
        views: [
          { name: 'ground truth', image, objects: trueObjects(dataset, index) },
          { name: 'detections', image, objects: foundObjects(dataset, detections, index) },
        ],
      });
    }
    const note = `By F1 of boxes at IoU 0.5, with the detections that score ${MIN_SCORE} or more.`;
    return { kind: 'pictures', title, note, pictures };
  };
  return [
    classTable(evaluation),
    ...evaluations.map((one) => curves(one, dataset)),
    await examples('Worst held-out images', 'lowest'),
    await examples('Best held-out images', 'highest'),
  ];
}

function classTable({ metrics, dataset }: DetectionEvaluation): ReportSection {
  const names = (['bboxAP', 'bboxAP50', 'bboxAR', 'segmAP', 'segmAP50', 'segmAR'] as const).filter((name) =>
    name.startsWith('bbox') ? metrics.bbox : metrics.segm,
  );
  const objects = new Uint32Array(dataset.labels.length);
  const { label, crowd, length } = dataset.annotations;
  for (let row = 0; row < length; row++) if (label[row]! >= 0 && !crowd[row]) objects[label[row]!]!++;
  const rows = metrics.perClass.map((row) => [
    row.label,
    objects[dataset.labelOf(row.id) ?? -1] ?? null,
    ...names.map((name) => defined(row[name])),
  ]);
  const note = 'AP over IoU 0.50 to 0.95, of boxes (bbox) and masks (segm).';
  return { kind: 'table', title: 'Each class', note, columns: ['class', 'objects', ...names], rows };
}

/** −1 stands for what is not defined. */
const defined = (value: number | undefined) => (value === undefined || value < 0 ? null : value);

function curves(evaluation: CocoEvaluation, dataset: CocoDataset): CurvesSection {
  const pair = (k?: number) =>
    [0.5, 0.75].map((iou) => ({
      name: `IoU ${iou.toFixed(2)}`,
      values: precisionCurve(evaluation, iou, k),
    }));
  const classes = evaluation.categoryIds.flatMap((id, k) => {
    const both = pair(k);
    if (both[0]!.values[0]! < 0) return [];
    return [{ title: dataset.labels[dataset.labelOf(id) ?? -1] ?? 'all', curves: both }];
  });
  const mean = classes.length > 0 ? [{ title: 'mean of the classes', curves: pair() }] : [];
  return {
    kind: 'curves',
    title: `Precision and recall of ${TYPES[evaluation.type]}`,
    x: 'recall',
    y: 'precision',
    panels: [...mean, ...classes],
  };
}

function trueObjects(dataset: CocoDataset, image: number): PictureObject[] {
  const { label, crowd } = dataset.annotations;
  const [from, to] = dataset.annotationsOf(image);
  const rows = Array.from({ length: to - from }, (_, i) => from + i).filter((row) => label[row]! >= 0);
  return rows.map((row) => ({
    label: `${dataset.labels[label[row]!]}${crowd[row] ? ' (crowd)' : ''}`,
    index: label[row]!,
    box: dataset.box(row),
  }));
}

function foundObjects(dataset: CocoDataset, detections: Detections, image: number): PictureObject[] {
  const { label, score, xywh } = detections;
  const rows = Array.from(score.keys()).filter(
    (row) => detections.image[row] === image && score[row]! >= MIN_SCORE && label[row]! >= 0,
  );
  rows.sort((a, b) => score[b]! - score[a]!);
  return rows.map((row) => {
    const [x, y, width, height] = xywh.subarray(4 * row, 4 * row + 4);
    return {
      label: `${dataset.labels[label[row]!]} ${score[row]!.toFixed(2)}`,
      index: label[row]!,
      box: [x!, y!, x! + width!, y! + height!],
    };
  });
}
