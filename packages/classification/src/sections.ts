import { extremes, type PicturesSection, type ReportSection } from '@as-mlp/train';
import type { ImageDataset } from './dataset.ts';
import type { Evaluation } from './evaluate.ts';

/** What was said of each held-out image, in a few bytes. */
export interface Guesses {
  /** `[N]` class indices. */
  readonly predicted: Int32Array;
  /** `[N]` probabilities of the predicted classes where they are right; NaN elsewhere, and where an image could not be read. */
  readonly right: Float32Array;
  /** The same where they are wrong. */
  readonly wrong: Float32Array;
  /** For `onImage` of `evaluateClassifier`. */
  add(image: { index: number; target: number; predicted: number; confidence: number }): void;
}

/** Room for the guesses of `count` images. */
export function createGuesses(count: number): Guesses {
  const predictions = new Int32Array(count);
  const [right, wrong] = [new Float32Array(count).fill(Number.NaN), new Float32Array(count).fill(Number.NaN)];
  return {
    predicted: predictions,
    right,
    wrong,
    add: ({ index, target, predicted, confidence }) => {
      predictions[index] = predicted;
      (predicted === target ? right : wrong)[index] = confidence;
    },
  };
}

/** Examples of each kind that a report shows. */
const EXAMPLES = 12;

/** What an evaluation found, for a report: confusions, accuracy of each class, the surest answers that are right and wrong. */
export async function classificationSections(
  evaluation: Evaluation,
  { predicted, right, wrong }: Guesses,
  heldOut: ImageDataset,
): Promise<ReportSection[]> {
  const { labels } = heldOut;
  const examples = async (title: string, confidence: Float32Array): Promise<PicturesSection> => {
    const pictures = [];
    for (const index of extremes(confidence, EXAMPLES, 'highest')) {
      const share = `${(100 * confidence[index]!).toFixed(1)} %`;
      const [truth, guess] = [labels[heldOut.targets[index]!]!, labels[predicted[index]!]!];
      pictures.push({
        caption: truth === guess ? `${truth} (${share})` : `${truth}, taken for ${guess} (${share})`,
        views: [{ name: `${truth}: ${heldOut.name(index)}`, image: await heldOut.load(index) }],
      });
    }
    return { kind: 'pictures', title, pictures };
  };
  return [
    {
      kind: 'matrix',
      title: 'Confusion matrix',
      labels,
      counts: evaluation.confusion,
      unit: 'images',
    },
    {
      kind: 'table',
      title: 'Accuracy of each class',
      columns: ['class', 'images', 'top-1'],
      rows: evaluation.perClass.map(({ label, count, top1 }) => [label, count, top1]),
    },
    await examples('Wrong, and surest of it', wrong),
    await examples('Right, and surest of it', right),
  ];
}
