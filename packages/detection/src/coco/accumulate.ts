import { IGNORED, TRUE_POSITIVE } from './match.ts';
import { IOU_THRESHOLDS, RECALL_THRESHOLDS } from './thresholds.ts';

/** The matched detections of one class, image after image and best first within each. */
export interface ClassMatches {
  readonly length: number;
  readonly score: Float64Array;
  /** Place of a detection among those of its image, from 0. */
  readonly rank: Uint32Array;
  /** `[A · T · stride]`, as `matchImage` fills it. */
  readonly outcome: Uint8Array;
  readonly stride: number;
  /** `[A]` objects that count. */
  readonly counted: Uint32Array;
}

/** Receives a curve of precision and score at each recall, and the recall reached. */
export type CurveSink = (
  threshold: number,
  area: number,
  max: number,
  recall: number,
  precision: Float64Array,
  scores: Float64Array,
) => void;

/** The difference between 1 and the next number, which keeps the precision of nothing at 0. */
const EPSILON = 2 ** -52;

/**
 * Precision over recall of one class, as `COCOeval.accumulate`: detections of all images by falling score (equal ones in the
 * order of the images), precision made to fall, and read at 101 recalls. Nothing is given for ranges of areas without
 * an object that counts. The arrays that `sink` gets are used again.
 */
export function accumulateClass(
  matches: ClassMatches,
  maxDetections: readonly number[],
  sink: CurveSink,
): void {
  const { length, score, rank, outcome, stride, counted } = matches;
  const T = IOU_THRESHOLDS.length;
  const order = new Uint32Array(length).map((_, i) => i).sort((a, b) => score[b]! - score[a]! || a - b);
  const kept = new Uint32Array(length);
  const precision = new Float64Array(length);
  const hits = new Uint32Array(length);
  const curve = new Float64Array(RECALL_THRESHOLDS.length);
  const scores = new Float64Array(RECALL_THRESHOLDS.length);
  maxDetections.forEach((max, m) => {
    let n = 0;
    for (let i = 0; i < length; i++) if (rank[order[i]!]! < max) kept[n++] = order[i]!;
    counted.forEach((total, a) => {
      if (total === 0) return;
      for (let t = 0; t < T; t++) {
        const row = (a * T + t) * stride;
        let [right, wrong] = [0, 0];
        for (let i = 0; i < n; i++) {
          const what = outcome[row + kept[i]!]!;
          if (what === TRUE_POSITIVE) right++;
          else if (what !== IGNORED) wrong++;
          hits[i] = right;
          precision[i] = right / (wrong + right + EPSILON);
        }
        for (let i = n - 1; i > 0; i--) {
          if (precision[i]! > precision[i - 1]!) precision[i - 1] = precision[i]!;
        }
        curve.fill(0);
        scores.fill(0);
        for (let r = 0, i = 0; r < curve.length; r++) {
          while (i < n && hits[i]! / total < RECALL_THRESHOLDS[r]!) i++;
          if (i === n) break;
          curve[r] = precision[i]!;
          scores[r] = score[kept[i]!]!;
        }
        sink(t, a, m, n === 0 ? 0 : right / total, curve, scores);
      }
    });
  });
}
