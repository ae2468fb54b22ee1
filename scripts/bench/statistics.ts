import { quantile } from '@as-mlp/app';

/** A figure with how far it spread over the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The median with the outermost values. */
export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), min: quantile(values, 0), max: quantile(values, 1) };
}

/**
 * How many times as long `times` took as `reference`, round by round: both were measured within seconds of each other, so a
 * machine whose speed drifts moves the two alike and leaves the ratio.
 */
export function ratioSpread(times: readonly number[], reference: readonly number[]): Spread {
  const rounds = Math.min(times.length, reference.length);
  return spread(Array.from({ length: rounds }, (_, round) => times[round]! / reference[round]!));
}

/** `1.52 (1.49–1.60)`. */
export function formatSpread({ median, min, max }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}
