import type { Confusion } from './confusion.ts';

/** How well one class was found; `null` where a figure is undefined. */
export interface ClassMetrics {
  readonly label: string;
  readonly index: number;
  /** Intersection over union; `null` for a class that is neither labelled nor predicted anywhere. */
  readonly iou: number | null;
  /** Part of the class's pixels that were found; `null` for a class that is not labelled anywhere. */
  readonly acc: number | null;
  /** Twice the intersection over the sum of both areas; `null` as `iou`. */
  readonly dice: number | null;
}

/** Segmentation metrics, from 0 to 1; `null` where nothing defines them. */
export interface SegmentationMetrics {
  /** Mean over the classes whose IoU is defined. */
  readonly mIoU: number | null;
  /** Mean over the classes whose accuracy is defined. */
  readonly mAcc: number | null;
  /** Part of all counted pixels that are right. */
  readonly aAcc: number | null;
  readonly perClass: readonly ClassMetrics[];
  /** `[label][prediction]` in pixels. */
  readonly confusion: readonly (readonly number[])[];
}

/**
 * Metrics of all counted pixels together (not a mean over images), as mmsegmentation computes them: a class that nobody
 * labelled or predicted is left out of the means, one that was predicted but never labelled has IoU 0 and no accuracy.
 *
 * @param labels names of the classes; their indices unless given.
 */
export function segmentationMetrics(
  { numClasses, counts }: Confusion,
  labels?: readonly string[],
): SegmentationMetrics {
  const confusion = Array.from({ length: numClasses }, (_, k) =>
    Array.from(counts.subarray(k * numClasses, (k + 1) * numClasses)),
  );
  const labelled = confusion.map(sum);
  const predicted = confusion.map((_, k) => sum(confusion.map((row) => row[k]!)));
  const perClass = confusion.map((row, index): ClassMetrics => {
    const both = row[index]!;
    const areas = labelled[index]! + predicted[index]!;
    return {
      label: labels?.[index] ?? String(index),
      index,
      iou: quotient(both, areas - both),
      acc: quotient(both, labelled[index]!),
      dice: quotient(2 * both, areas),
    };
  });
  return {
    mIoU: mean(perClass.map(({ iou }) => iou)),
    mAcc: mean(perClass.map(({ acc }) => acc)),
    aAcc: quotient(sum(confusion.map((row, k) => row[k]!)), sum(labelled)),
    perClass,
    confusion,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const quotient = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function mean(values: readonly (number | null)[]): number | null {
  const defined = values.filter((value) => value !== null);
  return quotient(sum(defined), defined.length);
}
