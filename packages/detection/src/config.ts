import { type AsMlpConfig, backboneName, VARIANTS, variantConfig } from '@as-mlp/backbone';
import { AsMlpError } from '@as-mlp/base';

/** `mask-rcnn` (He et al., 2017) or `cascade-mask-rcnn` (Cai & Vasconcelos, 2018). */
export type Architecture = 'mask-rcnn' | 'cascade-mask-rcnn';

/** The widths of a detector's heads; the published ones are {@link PUBLISHED_WIDTHS}. */
export interface HeadWidths {
  /** Channels of the feature pyramid. */
  readonly channels: number;
  /** Channels of the region proposal network's convolution. */
  readonly rpnChannels: number;
  /** 3×3 convolutions (with batch norm) and fully connected layers of each box head. */
  readonly boxConvs: number;
  readonly boxConvChannels: number;
  readonly boxFcs: number;
  readonly boxFcChannels: number;
  /** 3×3 convolutions of each mask head. */
  readonly maskConvs: number;
  readonly maskChannels: number;
}

/** A detector: its backbone, its architecture, its classes and the widths of its heads. */
export interface DetectionConfig extends AsMlpConfig, HeadWidths {
  readonly architecture: Architecture;
  readonly numClasses: number;
}

const WIDTHS = {
  channels: 256,
  rpnChannels: 256,
  boxConvChannels: 256,
  boxFcChannels: 1024,
  maskConvs: 4,
  maskChannels: 256,
} as const;

/** Published heads: two fully connected layers, or four convolutions and one fully connected layer. */
export const PUBLISHED_WIDTHS: Readonly<Record<Architecture, HeadWidths>> = {
  'mask-rcnn': { ...WIDTHS, boxConvs: 0, boxFcs: 2 },
  'cascade-mask-rcnn': { ...WIDTHS, boxConvs: 4, boxFcs: 1 },
};

/** What box deltas are divided by (dx, dy, dw, dh), for each box stage in order. */
export const BOX_STAGES: Readonly<Record<Architecture, readonly (readonly number[])[]>> = {
  'mask-rcnn': [[0.1, 0.1, 0.2, 0.2]],
  'cascade-mask-rcnn': [
    [0.1, 0.1, 0.2, 0.2],
    [0.05, 0.05, 0.1, 0.1],
    [0.033, 0.033, 0.067, 0.067],
  ],
};

/** Side of the maps that box heads take, in cells. */
export const BOX_CELLS = 7;
/** Side of the maps that mask heads take, in cells. */
export const MASK_CELLS = 14;
/** Side of the masks that mask heads give, in cells. */
export const MASK_SIZE = 2 * MASK_CELLS;

const ARCHITECTURES = Object.keys(PUBLISHED_WIDTHS) as Architecture[];

/** Names that {@link detectionConfig} knows: `mask-rcnn-as-mlp-tiny`, `cascade-mask-rcnn-as-mlp-base`, …. */
export const MODEL_NAMES: readonly string[] = ARCHITECTURES.flatMap((architecture) =>
  Object.keys(VARIANTS).map((variant) => `${architecture}-as-mlp-${variant}`),
);

/**
 * A published or project detector by name, 80 classes unless told otherwise.
 *
 * @throws AsMlpError `usage` for an unknown name.
 */
export function detectionConfig(name: string, changes: Partial<DetectionConfig> = {}): DetectionConfig {
  const architecture = ARCHITECTURES.find((one) => name.startsWith(`${one}-as-mlp-`));
  if (!architecture) {
    throw new AsMlpError('usage', {
      where: name,
      what: 'there is no such detector',
      fix: `Known: ${MODEL_NAMES.join(', ')}`,
    });
  }
  const backbone = variantConfig(name.slice(architecture.length + 1));
  return { ...backbone, ...PUBLISHED_WIDTHS[architecture], architecture, numClasses: 80, ...changes };
}

/** The name of a detector whose backbone is a variant's, else one that tells its width. */
export function modelName({ architecture, ...backbone }: DetectionConfig): string {
  return `${architecture}-${backboneName(backbone)}`;
}
