/** Row-major scores of N samples over K classes, and the true class of each. */
export interface ScoredBatch {
  /** `[N · K]` logits or probabilities. */
  readonly scores: Float32Array;
  readonly numClasses: number;
  /** `[N]` class indices in [0, K). */
  readonly targets: ArrayLike<number>;
}

/** The k best classes of one row, best first; among equal scores the lower index comes first. */
export function topK(scores: ArrayLike<number>, k: number): number[] {
  const best: number[] = [];
  for (let index = 0; index < scores.length; index++) {
    let place = best.length;
    while (place > 0 && scores[index]! > scores[best[place - 1]!]!) place--;
    if (place >= k) continue;
    best.splice(place, 0, index);
    if (best.length > k) best.pop();
  }
  return best;
}

/** Softmax of one row in float64. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits);
  const peak = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.exp(values[i]! - peak);
    sum += values[i]!;
  }
  return values.map((value) => value / sum);
}

/** What a classification evaluation reports. Fractions in [0, 1]. */
export interface ClassificationMetrics {
  readonly top1: number;
  readonly top5: number;
  readonly count: number;
}

/**
 * Collects predictions batch by batch: top-1, top-5 (all classes when there are fewer than five) and the confusion
 * matrix. Sample-weighted, so batches may differ in size.
 */
export class ClassificationEvaluator {
  readonly numClasses: number;
  /** `[true · K + predicted]` counts. */
  readonly confusion: Uint32Array;
  private hits1 = 0;
  private hits5 = 0;
  private count = 0;

  constructor(numClasses: number) {
    this.numClasses = numClasses;
    this.confusion = new Uint32Array(numClasses * numClasses);
  }

  add({ scores, numClasses, targets }: ScoredBatch): void {
    for (let n = 0; n < targets.length; n++) {
      const target = targets[n]!;
      const best = topK(scores.subarray(n * numClasses, (n + 1) * numClasses), 5);
      if (best[0] === target) this.hits1++;
      if (best.includes(target)) this.hits5++;
      this.confusion[target * this.numClasses + best[0]!]!++;
      this.count++;
    }
  }

  metrics(): ClassificationMetrics {
    const { hits1, hits5, count } = this;
    return count === 0 ? { top1: 0, top5: 0, count } : { top1: hits1 / count, top5: hits5 / count, count };
  }

  /** Accuracy within each true class; null for classes without samples. */
  perClass(): { index: number; count: number; top1: number | null }[] {
    return Array.from({ length: this.numClasses }, (_, index) => {
      const row = this.confusion.subarray(index * this.numClasses, (index + 1) * this.numClasses);
      const count = row.reduce((a, b) => a + b, 0);
      return { index, count, top1: count === 0 ? null : row[index]! / count };
    });
  }
}
