import { AsMlpError } from '@as-mlp/base';
import type { LabelMap } from '@as-mlp/data';
import { IGNORED } from '../labels.ts';

/** Pixels counted by what they are and what they were taken for. */
export interface Confusion {
  readonly numClasses: number;
  /** `[label, prediction]`, row-major: pixels of each label that were given each prediction. */
  readonly counts: Float64Array;
}

/** Nothing counted yet. */
export function createConfusion(numClasses: number): Confusion {
  return { numClasses, counts: new Float64Array(numClasses * numClasses) };
}

/** Options of {@link addToConfusion}. */
export interface ConfusionOptions {
  /** Pixels with this label are left out, whatever was predicted. 255 unless given. */
  readonly ignore?: number;
  /** Names of the two maps in messages. */
  readonly predictionName?: string;
  readonly labelName?: string;
}

/**
 * Counts the pixels of one image, in place.
 *
 * @throws AsMlpError (input) for maps of different sizes, and for a label or a prediction outside [0, numClasses); nothing is
 * counted then.
 */
export function addToConfusion(
  { numClasses, counts }: Confusion,
  prediction: LabelMap,
  label: LabelMap,
  { ignore = IGNORED, predictionName = 'the prediction', labelName = 'the label map' }: ConfusionOptions = {},
): void {
  if (prediction.height !== label.height || prediction.width !== label.width) {
    throw new AsMlpError('input', {
      where: predictionName,
      what: `it is ${prediction.width}×${prediction.height} pixels, and ${labelName} ${label.width}×${label.height}`,
      fix: 'Give predictions of the size of the original images',
    });
  }
  const [labels, predictions] = [label.data, prediction.data];
  const found = new Int32Array(counts.length);
  for (let i = 0; i < labels.length; i++) {
    const value = labels[i]!;
    if (value === ignore) continue;
    const guess = predictions[i]!;
    if (value >= numClasses) throw outOfRange(value, numClasses, labelName);
    if (guess >= numClasses) throw outOfRange(guess, numClasses, predictionName);
    found[value * numClasses + guess]!++;
  }
  for (let i = 0; i < found.length; i++) counts[i]! += found[i]!;
}

/**
 * Checks that every label is a class, in [0, numClasses), or `ignore`.
 *
 * @throws AsMlpError (input) otherwise, naming the map as `where`.
 */
export function assertLabels({ data }: LabelMap, numClasses: number, where: string, ignore = IGNORED): void {
  for (const value of data) {
    if (value >= numClasses && value !== ignore) throw outOfRange(value, numClasses, where);
  }
}

function outOfRange(value: number, numClasses: number, where: string): AsMlpError {
  return new AsMlpError('input', {
    where,
    what: `it holds the label ${value}, and there are ${numClasses} classes, from 0`,
    fix: 'Check the number of classes, and whether 0 stands for unlabelled pixels (reduceZeroLabel)',
  });
}
