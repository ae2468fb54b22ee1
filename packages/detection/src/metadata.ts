import {
  decodeBackbone,
  decodeNormalisation,
  encodeBackbone,
  encodeNormalisation,
  isNames,
  metadataFields,
  officialMeta,
} from '@as-mlp/backbone';
import { type DetectionConfig, modelName } from './config.ts';
import { COCO_PREPROCESSING, type Preprocessing } from './predict/preprocess.ts';

/** What a weight file says of its detector beside the tensors; every field may be absent. */
export interface FileMetadata {
  readonly shiftSize?: DetectionConfig['shiftSize'] | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly preprocessing?: Partial<Preprocessing> | undefined;
  readonly ablations?:
    | Pick<DetectionConfig, 'shiftPadding' | 'shiftDilation' | 'shiftConnection'>
    | undefined;
}

/**
 * Metadata that this project writes into its safetensors files: enough to predict from the file alone.
 * All values are strings, as the format demands; lists are JSON.
 */
export function encodeMetadata(
  config: DetectionConfig,
  labels: readonly string[],
  preprocessing: Preprocessing,
): Record<string, string> {
  return {
    format: 'pt',
    task: 'detection',
    model: modelName(config),
    ...encodeBackbone(config),
    num_classes: String(config.numClasses),
    class_names: JSON.stringify(labels),
    img_scale: `${preprocessing.longSide},${preprocessing.shortSide}`,
    ...encodeNormalisation(preprocessing),
  };
}

/**
 * Reads what a file says: this project's metadata, or an mmdetection checkpoint's `meta` (`CLASSES`, and `shift_size` in the
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
    preprocessing: {
      ...(scale ? { longSide: scale[0]!, shortSide: scale[1]! } : {}),
      ...decodeNormalisation(fields),
    },
    ablations,
  };
}

/** The official preprocessing with what a file or a caller says otherwise. */
export function mergePreprocessing(...changes: (Partial<Preprocessing> | undefined)[]): Preprocessing {
  return Object.assign({}, COCO_PREPROCESSING, ...changes) as Preprocessing;
}
