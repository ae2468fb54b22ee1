import { type AsMlpConfig, backboneName, VARIANTS, variantConfig } from '@as-mlp/backbone';
import { AsMlpError } from '@as-mlp/base';

/** A segmentation network: its backbone, its classes and the widths of its heads. */
export interface SegmentationConfig extends AsMlpConfig {
  readonly numClasses: number;
  /** Channels of the decode head. */
  readonly channels: number;
  /** Channels of the auxiliary head, which helps training only; 0 for a network without one. */
  readonly auxiliaryChannels: number;
}

/** The published heads. */
export const PUBLISHED_WIDTHS = { channels: 512, auxiliaryChannels: 256 } as const;

const ARCHITECTURE = 'upernet';

/** Names that {@link segmentationConfig} knows: `upernet-as-mlp-tiny`, `upernet-as-mlp-base`, …. */
export const MODEL_NAMES: readonly string[] = Object.keys(VARIANTS).map(
  (variant) => `${ARCHITECTURE}-as-mlp-${variant}`,
);

/**
 * A published or project network by name, 150 classes (ADE20K) unless told otherwise.
 *
 * @throws AsMlpError `usage` for an unknown name.
 */
export function segmentationConfig(
  name: string,
  changes: Partial<SegmentationConfig> = {},
): SegmentationConfig {
  if (!name.startsWith(`${ARCHITECTURE}-as-mlp-`)) {
    throw new AsMlpError('usage', {
      where: name,
      what: 'there is no such segmentation network',
      fix: `Known: ${MODEL_NAMES.join(', ')}`,
    });
  }
  const backbone = variantConfig(name.slice(ARCHITECTURE.length + 1));
  return { ...backbone, ...PUBLISHED_WIDTHS, numClasses: 150, ...changes };
}

/** The name of a network whose backbone is a variant's, else one that tells its width. */
export function modelName(backbone: Pick<SegmentationConfig, 'embedDim' | 'depths'>): string {
  return `${ARCHITECTURE}-${backboneName(backbone)}`;
}
