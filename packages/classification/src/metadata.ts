import {
  backboneName,
  decodeBackbone,
  decodeNormalisation,
  encodeBackbone,
  encodeNormalisation,
  isNames,
  metadataFields,
} from '@as-mlp/backbone';
import type { ClassificationConfig } from './model.ts';
import { IMAGENET_PREPROCESSING, type Preprocessing } from './preprocess.ts';

/** What a weight file says of its network beside the tensors; every field may be absent. */
export interface FileMetadata {
  readonly shiftSize?: ClassificationConfig['shiftSize'] | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly preprocessing?: Partial<Preprocessing> | undefined;
  readonly ablations?:
    | Pick<ClassificationConfig, 'shiftPadding' | 'shiftDilation' | 'shiftConnection'>
    | undefined;
}

/**
 * Metadata that this project writes into its safetensors files: enough to predict from the file alone.
 * All values are strings, as the format demands; lists are JSON.
 */
export function encodeMetadata(
  config: ClassificationConfig,
  labels: readonly string[],
  preprocessing: Preprocessing,
): Record<string, string> {
  return {
    format: 'pt',
    task: 'classification',
    model: backboneName(config),
    ...encodeBackbone(config),
    num_classes: String(config.numClasses),
    class_names: JSON.stringify(labels),
    img_size: String(preprocessing.size),
    crop_fraction: String(preprocessing.cropFraction),
    ...encodeNormalisation(preprocessing),
  };
}

/**
 * Reads what a file says: this project's metadata, or the official checkpoint's `config`
 * (`MODEL.ASMLP.SHIFT_SIZE`, `DATA.IMG_SIZE`). Malformed values are errors that name the field.
 */
export function decodeMetadata(metadata: Readonly<Record<string, unknown>>, source: string): FileMetadata {
  const official = officialConfig(metadata.config);
  const fields = metadataFields(metadata, source);
  const { shiftSize, ablations } = decodeBackbone(fields);
  const size = fields.numbers('img_size', [1])?.[0] ?? official.size;
  const cropFraction = fields.numbers('crop_fraction', [1])?.[0];
  return {
    shiftSize: shiftSize ?? official.shiftSize,
    labels: fields.json('class_names', isNames, 'names'),
    preprocessing: {
      ...(size === undefined ? {} : { size }),
      ...(cropFraction === undefined ? {} : { cropFraction }),
      ...decodeNormalisation(fields),
    },
    ablations,
  };
}

/** The two settings of an official checkpoint's yacs config that the weights cannot show. */
function officialConfig(config: unknown): { shiftSize?: number; size?: number } {
  const at = (node: unknown, ...path: string[]): unknown =>
    path.reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, key)
          ? (value as Record<string, unknown>)[key]
          : undefined,
      node,
    );
  const shiftSize = at(config, 'MODEL', 'ASMLP', 'SHIFT_SIZE');
  const size = at(config, 'DATA', 'IMG_SIZE');
  return {
    ...(typeof shiftSize === 'number' ? { shiftSize } : {}),
    ...(typeof size === 'number' ? { size } : {}),
  };
}

/** The official preprocessing with what a file or a caller says otherwise. */
export function mergePreprocessing(...changes: (Partial<Preprocessing> | undefined)[]): Preprocessing {
  return Object.assign({}, IMAGENET_PREPROCESSING, ...changes) as Preprocessing;
}
