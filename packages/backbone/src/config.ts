import { AsMlpError, nearest } from '@as-mlp/base';
import type { ShiftPadding } from './axial-shift.ts';

/** How the two shifted branches are joined; published models are parallel. */
export type ShiftConnection = 'parallel' | 'serial';

/** The architecture of one AS-MLP. Everything but the first three has the published default. */
export interface AsMlpConfig {
  /** Channels of the first stage; each later stage has twice as many. */
  readonly embedDim: number;
  /** Blocks in each of the four stages. */
  readonly depths: readonly [number, number, number, number];
  /** Channel groups of the shift, odd: one number for both axes or `[horizontal, vertical]`. */
  readonly shiftSize: number | readonly [horizontal: number, vertical: number];
  /** What stands outside the map while shifting. */
  readonly shiftPadding?: ShiftPadding;
  /** Distance between neighbouring displacements. */
  readonly shiftDilation?: number;
  /**
   * `parallel`: both branches shift the same map and are added (equation 4 of the paper). `serial`: the horizontal
   * branch's output is shifted vertically and fed to the vertical branch.
   */
  readonly shiftConnection?: ShiftConnection;
  /** Hidden channels of the MLP over its input channels. */
  readonly mlpRatio?: number;
  /** Dropout after the stem and inside the MLPs. */
  readonly dropRate?: number;
  /** Stochastic depth of the last block; rises linearly from 0 at the first. */
  readonly dropPathRate?: number;
  /**
   * Stages that are neither trained nor run in training mode: −1 none; ≥ 0 the patch embedding; k ≥ 2 also the first
   * k − 1 stages.
   */
  readonly frozenStages?: number;
}

/** The published networks, the paper's mobile one, and nano, which trains in minutes on two cores. */
export const VARIANTS = {
  nano: { embedDim: 16, depths: [1, 1, 2, 1], shiftSize: 5, dropPathRate: 0 },
  mobile: { embedDim: 64, depths: [2, 2, 2, 2], shiftSize: 5, dropPathRate: 0 },
  tiny: { embedDim: 96, depths: [2, 2, 6, 2], shiftSize: 5, dropPathRate: 0.2 },
  small: { embedDim: 96, depths: [2, 2, 18, 2], shiftSize: 5, dropPathRate: 0.3 },
  base: { embedDim: 128, depths: [2, 2, 18, 2], shiftSize: 5, dropPathRate: 0.5 },
} as const satisfies Record<string, AsMlpConfig>;

/** Name of a network in {@link VARIANTS}. */
export type Variant = keyof typeof VARIANTS;

/** A variant's configuration by name (`tiny` or `as-mlp-tiny`); an unknown name is an error that lists the known. */
export function variantConfig(name: string): AsMlpConfig {
  const short = name.replace(/^as-mlp-/, '');
  if (Object.hasOwn(VARIANTS, short)) return VARIANTS[short as Variant];
  const known = Object.keys(VARIANTS).map((variant) => `as-mlp-${variant}`);
  const guess = nearest(`as-mlp-${short}`, known);
  throw new AsMlpError('usage', {
    where: name,
    what: 'there is no such model',
    fix: `${guess ? `Did you mean ${guess}? ` : ''}Known: ${known.join(', ')}`,
  });
}

/** `as-mlp-<variant>` for the width and depths of a variant, else `as-mlp-<width>`. */
export function backboneName({ embedDim, depths }: Pick<AsMlpConfig, 'embedDim' | 'depths'>): string {
  const variant = Object.entries(VARIANTS).find(
    ([, known]) => known.embedDim === embedDim && known.depths.join() === depths.join(),
  );
  return `as-mlp-${variant?.[0] ?? embedDim}`;
}

/** Stochastic-depth rate of every block in order: float32 linspace from 0 to `rate`, to the bit as PyTorch computes it. */
export function dropPathRates(rate: number, blocks: number): number[] {
  const last = Math.fround(rate);
  const step = Math.fround(last / Math.max(1, blocks - 1));
  // PyTorch counts from whichever end is nearer.
  return Array.from({ length: blocks }, (_, i) =>
    i < blocks / 2 ? Math.fround(step * i) : Math.fround(last - step * (blocks - 1 - i)),
  );
}
