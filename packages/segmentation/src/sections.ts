import { basename } from 'node:path';
import type { LabelMap, Rgb, RgbImage } from '@as-mlp/data';
import { extremes, type PicturesSection, type ReportSection } from '@as-mlp/train';
import type { ExampleSource } from './data/examples.ts';
import type { SegmentationEvaluation } from './evaluate.ts';
import { addToConfusion, createConfusion } from './metrics/confusion.ts';
import { segmentationMetrics } from './metrics/metrics.ts';
import type { Segmenter, SegmentOptions } from './segmenter.ts';

/** Images of each kind that a report shows. */
const EXAMPLES = 4;
/** How much of a class's colour covers the image. */
const COVER = 0.6;

/** The mean IoU of one image over the classes that are labelled or predicted in it; NaN when all of it is ignored. */
export function imageScore(
  prediction: LabelMap,
  truth: LabelMap,
  { numClasses, ignore }: { numClasses: number; ignore: number },
): number {
  const confusion = createConfusion(numClasses);
  addToConfusion(confusion, prediction, truth, { ignore });
  return segmentationMetrics(confusion).mIoU ?? Number.NaN;
}

/**
 * What an evaluation found, for a report: every class, confusions, and the images that came out best and worst, which are looked at
 * again.
 *
 * @param scores the mean IoU of each image.
 */
export async function segmentationSections(
  { metrics }: SegmentationEvaluation,
  scores: Float64Array,
  segmenter: Segmenter,
  heldOut: ExampleSource,
  segment: SegmentOptions = {},
): Promise<ReportSection[]> {
  const { labels, palette } = segmenter;
  const examples = async (title: string, which: 'highest' | 'lowest'): Promise<PicturesSection> => {
    const pictures = [];
    for (const index of extremes(scores, EXAMPLES, which)) {
      const { image, labels: truth } = await heldOut.load(index);
      const prediction = await segmenter.segmentLabels(image, segment);
      pictures.push({
        caption: `${basename(heldOut.name(index))}: mIoU ${(100 * scores[index]!).toFixed(1)} %`,
        views: [
          { name: 'image', image },
          { name: 'ground truth', image: painted(image, truth, palette) },
          { name: 'prediction', image: painted(image, prediction, palette) },
        ],
      });
    }
    const note = 'By the mean IoU of the classes in the image.';
    return { kind: 'pictures', title, note, pictures };
  };
  return [
    {
      kind: 'table',
      title: 'Each class',
      columns: ['class', 'IoU', 'accuracy', 'Dice'],
      rows: metrics.perClass.map(({ label, iou, acc, dice }) => [label, iou, acc, dice]),
    },
    {
      kind: 'matrix',
      title: 'Confusion matrix',
      labels,
      counts: metrics.confusion.flat(),
      unit: 'pixels',
    },
    await examples('Worst held-out images', 'lowest'),
    await examples('Best held-out images', 'highest'),
  ];
}

/** The image under the colours of its classes; ignored pixels stay as they are. */
function painted(image: RgbImage, labels: LabelMap, palette: readonly Rgb[]): RgbImage {
  const data = image.data.slice();
  for (let i = 0; i < labels.data.length; i++) {
    const colour = palette[labels.data[i]!];
    if (!colour) continue;
    for (let c = 0; c < 3; c++) {
      data[3 * i + c] = Math.round(data[3 * i + c]! * (1 - COVER) + colour[c]! * COVER);
    }
  }
  return { ...image, data };
}
