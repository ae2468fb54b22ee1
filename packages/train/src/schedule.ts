import { AsMlpError } from '@as-mlp/base';

/** Learning rate at time `t`, counted in batches from 0. Pure. */
export type Schedule = (t: number) => number;

/** Settings of {@link warmupCosine}; rates as applied, times in batches. */
export interface WarmupCosineOptions {
  /** The rate that the cosine starts from. */
  readonly lr: number;
  /** The rate at t = 0 of the warm-up. */
  readonly warmupLr: number;
  /** The rate at the end of the cosine and ever after. */
  readonly minLr: number;
  readonly totalSteps: number;
  /** Less than `totalSteps`; 0 for none. */
  readonly warmupSteps: number;
}

/**
 * Linear warm-up, then half a cosine down to `minLr` (Loshchilov & Hutter, 2017), as the published classifiers were
 * trained. The cosine's time is not shifted by the warm-up, so the rate drops a little where the warm-up ends.
 *
 * @throws AsMlpError (usage) when the warm-up is not shorter than the training.
 */
export function warmupCosine({
  lr,
  warmupLr,
  minLr,
  totalSteps,
  warmupSteps,
}: WarmupCosineOptions): Schedule {
  if (warmupSteps >= totalSteps) {
    throw new AsMlpError('usage', {
      where: 'schedule',
      what: `the warm-up of ${warmupSteps} batches does not end before the training of ${totalSteps} batches`,
      fix: 'Train for more epochs or set a shorter warm-up',
    });
  }
  const slope = (lr - warmupLr) / warmupSteps;
  return (t) => {
    if (t < warmupSteps) return warmupLr + t * slope;
    if (t >= totalSteps) return minLr;
    return minLr + 0.5 * (lr - minLr) * (1 + Math.cos((Math.PI * t) / totalSteps));
  };
}

/** Settings of {@link multiStep}; milestones in batches. */
export interface MultiStepOptions {
  readonly lr: number;
  /** At each of these times the rate is multiplied by `gamma`. */
  readonly milestones: readonly number[];
  readonly gamma: number;
}

/** `lr · gammaⁿ` after n milestones; a milestone counts from its own time on. */
export function multiStep({ lr, milestones, gamma }: MultiStepOptions): Schedule {
  return (t) => lr * gamma ** milestones.filter((milestone) => t >= milestone).length;
}

/** Settings of {@link poly}; times in batches. */
export interface PolyOptions {
  readonly lr: number;
  readonly minLr: number;
  readonly power: number;
  readonly totalSteps: number;
}

/** `(lr − minLr) · (1 − t / totalSteps)^power + minLr`, and `minLr` after the end. */
export function poly({ lr, minLr, power, totalSteps }: PolyOptions): Schedule {
  return (t) => (lr - minLr) * Math.max(0, 1 - t / totalSteps) ** power + minLr;
}

/** Settings of {@link linearWarmup}. */
export interface LinearWarmupOptions {
  /** Batches until the full rate is reached; 0 for none. */
  readonly steps: number;
  /** Factor at t = 0. */
  readonly ratio: number;
}

/**
 * Multiplies the first `steps` rates of `schedule` by a factor that rises linearly from `ratio` to 1: the warm-up of
 * the published detectors and segmenters.
 */
export function linearWarmup(schedule: Schedule, { steps, ratio }: LinearWarmupOptions): Schedule {
  return (t) => schedule(t) * (t < steps ? 1 - (1 - t / steps) * (1 - ratio) : 1);
}

/**
 * A rate meant for `reference` images an update, scaled linearly to the number that an update really sees
 * (Goyal et al., 2017).
 */
export function scaleLr(lr: number, imagesPerUpdate: number, reference: number): number {
  return lr * (imagesPerUpdate / reference);
}
