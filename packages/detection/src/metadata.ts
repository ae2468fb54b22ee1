import { AsMlpError } from '@as-mlp/base';
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
  const { embedDim, depths, shiftSize, numClasses, shiftPadding, shiftDilation, shiftConnection } = config;
  return {
    format: 'pt',
    task: 'detection',
    model: modelName(config),
    embed_dim: String(embedDim),
    depths: depths.join(','),
    shift_size: typeof shiftSize === 'number' ? String(shiftSize) : shiftSize.join(','),
    num_classes: String(numClasses),
    class_names: JSON.stringify(labels),
    img_scale: `${preprocessing.longSide},${preprocessing.shortSide}`,
    mean: preprocessing.mean.join(','),
    std: preprocessing.std.join(','),
    ...(shiftPadding ? { shift_padding: shiftPadding } : {}),
    ...(shiftDilation ? { shift_dilation: String(shiftDilation) } : {}),
    ...(shiftConnection ? { shift_connection: shiftConnection } : {}),
  };
}

/**
 * Reads what a file says: this project's metadata, or an mmdetection checkpoint's `meta` (`CLASSES`, and `shift_size` in the
 * text of its config). Malformed values are errors that name the field.
 */
export function decodeMetadata(metadata: Readonly<Record<string, unknown>>, source: string): FileMetadata {
  const official = officialMeta(metadata.meta);
  const text = (key: string) => {
    const value = metadata[key];
    return typeof value === 'string' ? value : undefined;
  };
  const numbers = (key: string, counts: readonly number[]): number[] | undefined => {
    const value = text(key);
    if (value === undefined) return undefined;
    const list = value.split(',').map(Number);
    if (list.every(Number.isFinite) && counts.includes(list.length)) return list;
    throw malformed(source, key, `It should be ${counts.join(' or ')} numbers separated by commas`);
  };
  const shift = numbers('shift_size', [1, 2]);
  const scale = numbers('img_scale', [2]);
  const mean = numbers('mean', [3]) as Preprocessing['mean'] | undefined;
  const std = numbers('std', [3]) as Preprocessing['std'] | undefined;
  const dilation = numbers('shift_dilation', [1])?.[0];
  return {
    shiftSize: shift?.length === 2 ? [shift[0]!, shift[1]!] : (shift?.[0] ?? official.shiftSize),
    labels: classNames(text('class_names'), source) ?? official.labels,
    preprocessing: {
      ...(scale ? { longSide: scale[0]!, shortSide: scale[1]! } : {}),
      ...(mean ? { mean } : {}),
      ...(std ? { std } : {}),
    },
    ablations: {
      ...(text('shift_padding') ? { shiftPadding: text('shift_padding') as 'zero' } : {}),
      ...(dilation === undefined ? {} : { shiftDilation: dilation }),
      ...(text('shift_connection') ? { shiftConnection: text('shift_connection') as 'parallel' } : {}),
    },
  };
}

function classNames(value: string | undefined, source: string): readonly string[] | undefined {
  if (value === undefined) return undefined;
  try {
    const names: unknown = JSON.parse(value);
    if (isNames(names)) return names;
  } catch {
    // reported below
  }
  throw malformed(source, 'class_names', 'It should be a JSON list of names');
}

function malformed(where: string, key: string, fix: string): AsMlpError {
  return new AsMlpError('weights', { where, what: `the metadata field ${key} is malformed`, fix });
}

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');

/** Class names and shift size of an mmdetection checkpoint, whose config is the text of a Python file. */
function officialMeta(meta: unknown): { labels?: readonly string[]; shiftSize?: number } {
  if (typeof meta !== 'object' || meta === null) return {};
  const { CLASSES, config } = meta as Partial<Record<string, unknown>>;
  const shift = typeof config === 'string' ? /\bshift_size['"]?\s*[=:]\s*(\d+)/.exec(config)?.[1] : undefined;
  return {
    ...(isNames(CLASSES) ? { labels: CLASSES } : {}),
    ...(shift === undefined ? {} : { shiftSize: Number(shift) }),
  };
}

/** The official preprocessing with what a file or a caller says otherwise. */
export function mergePreprocessing(...changes: (Partial<Preprocessing> | undefined)[]): Preprocessing {
  return Object.assign({}, COCO_PREPROCESSING, ...changes) as Preprocessing;
}
