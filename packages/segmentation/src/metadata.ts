import {
  decodeBackbone,
  decodeNormalisation,
  encodeBackbone,
  encodeNormalisation,
  isNames,
  isPalette,
  metadataFields,
  officialMeta,
} from '@as-mlp/backbone';
import type { Rgb } from '@as-mlp/data';
import { modelName, type SegmentationConfig } from './config.ts';
import { ADE20K_PREPROCESSING, type Preprocessing } from './predict/preprocess.ts';

/** What a weight file says of its network beside the tensors; every field may be absent. */
export interface FileMetadata {
  readonly shiftSize?: SegmentationConfig['shiftSize'] | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly palette?: readonly Rgb[] | undefined;
  readonly preprocessing?: Partial<Preprocessing> | undefined;
  readonly ablations?:
    | Pick<SegmentationConfig, 'shiftPadding' | 'shiftDilation' | 'shiftConnection'>
    | undefined;
}

/**
 * Metadata that this project writes into its safetensors files: enough to predict from the file alone.
 * All values are strings, as the format demands; lists are JSON.
 */
export function encodeMetadata(
  config: SegmentationConfig,
  labels: readonly string[],
  palette: readonly Rgb[],
  preprocessing: Preprocessing,
): Record<string, string> {
  return {
    format: 'pt',
    task: 'segmentation',
    model: modelName(config),
    ...encodeBackbone(config),
    num_classes: String(config.numClasses),
    class_names: JSON.stringify(labels),
    palette: JSON.stringify(palette),
    img_scale: `${preprocessing.longSide},${preprocessing.shortSide}`,
    ...encodeNormalisation(preprocessing),
  };
}

/**
 * Reads what a file says: this project's metadata, or an mmsegmentation checkpoint's `meta` (`CLASSES`, `PALETTE`, and `shift_size` in the
 * text of its config). Malformed values are errors that name the field.
 */
export function decodeMetadata(metadata: Readonly<Record<string, unknown>>, source: string): FileMetadata {
  const official = officialMeta(metadata.meta);
  const fields = metadataFields(metadata, source);
  const { shiftSize, ablations } = decodeBackbone(fields);
  const scale = fields.numbers('img_scale', [2]);
  return {
    shiftSize: shiftSize ?? official.shiftSize,
    labels: fields.json('class_names', isNames, 'names') ?? official.classes,
    palette: fields.json('palette', isPalette, 'colours') ?? official.palette,
    preprocessing: {
      ...(scale ? { longSide: scale[0]!, shortSide: scale[1]! } : {}),
      ...decodeNormalisation(fields),
    },
    ablations,
  };
}

/** The official preprocessing with what a file or a caller says otherwise. */
export function mergePreprocessing(...changes: (Partial<Preprocessing> | undefined)[]): Preprocessing {
  return Object.assign({}, ADE20K_PREPROCESSING, ...changes) as Preprocessing;
}
