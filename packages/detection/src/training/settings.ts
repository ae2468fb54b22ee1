import type { Architecture } from '../config.ts';
import type { AssignerSettings } from './assign.ts';
import type { SamplerSettings } from './choose.ts';
import type { RpnTargetSettings } from './rpn-targets.ts';

/** What a box stage learns from. */
export interface StageSettings {
  readonly assigner: AssignerSettings;
  /** Factor of all its losses. */
  readonly weight: number;
}

/** How a detector is trained, beside the recipe of the loop. */
export interface TrainingSettings {
  readonly rpn: RpnTargetSettings & { readonly boxLoss: 'l1' | 'smooth-l1' };
  /** Proposals of an image that the box stages choose from. */
  readonly proposals: {
    /** Best anchors of each level before non-maximum suppression. */
    readonly perLevel: number;
    readonly limit: number;
  };
  readonly roiSampler: SamplerSettings;
  /** Loss of the boxes of the stages: of deltas, or ten times 1 − GIoU of the boxes. */
  readonly boxLoss: 'l1' | 'giou';
  /** One for each box stage. */
  readonly stages: readonly StageSettings[];
}

const rpn = {
  assigner: { positive: 0.7, negative: 0.3, lowQuality: 0.3 },
  sampler: { count: 256, positiveFraction: 0.5 },
} as const;
const roiSampler = { count: 512, positiveFraction: 0.25 } as const;
const stage = (overlap: number, weight: number): StageSettings => ({
  assigner: { positive: overlap, negative: overlap },
  weight,
});

/** The official settings of each architecture. */
export const TRAINING: Readonly<Record<Architecture, TrainingSettings>> = {
  'mask-rcnn': {
    rpn: { ...rpn, allowedBorder: null, boxLoss: 'l1' },
    proposals: { perLevel: 2000, limit: 1000 },
    roiSampler,
    boxLoss: 'l1',
    stages: [{ assigner: { positive: 0.5, negative: 0.5, lowQuality: 0.5 }, weight: 1 }],
  },
  'cascade-mask-rcnn': {
    rpn: { ...rpn, allowedBorder: 0, boxLoss: 'smooth-l1' },
    proposals: { perLevel: 2000, limit: 2000 },
    roiSampler,
    boxLoss: 'giou',
    stages: [stage(0.5, 1), stage(0.6, 0.5), stage(0.7, 0.25)],
  },
};
