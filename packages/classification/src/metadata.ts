import { VARIANTS } from '@as-mlp/backbone';
import { AsMlpError } from '@as-mlp/base';
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
  const { embedDim, depths, shiftSize, numClasses } = config;
  const { shiftPadding, shiftDilation, shiftConnection } = config;
  return {
    format: 'pt',
    task: 'classification',
    model: modelName(config),
    embed_dim: String(embedDim),
    depths: depths.join(','),
    shift_size: typeof shiftSize === 'number' ? String(shiftSize) : shiftSize.join(','),
    num_classes: String(numClasses),
    class_names: JSON.stringify(labels),
    img_size: String(preprocessing.size),
    crop_fraction: String(preprocessing.cropFraction),
    mean: preprocessing.mean.join(','),
    std: preprocessing.std.join(','),
    ...(shiftPadding ? { shift_padding: shiftPadding } : {}),
    ...(shiftDilation ? { shift_dilation: String(shiftDilation) } : {}),
    ...(shiftConnection ? { shift_connection: shiftConnection } : {}),
  };
}

/** `as-mlp-<variant>` when the widths and depths are a variant's, else `as-mlp-<width>`. */
export function modelName({ embedDim, depths }: Pick<ClassificationConfig, 'embedDim' | 'depths'>): string {
  for (const [variant, known] of Object.entries(VARIANTS)) {
    if (known.embedDim === embedDim && known.depths.join() === depths.join()) return `as-mlp-${variant}`;
  }
  return `as-mlp-${embedDim}`;
}

/**
 * Reads what a file says: this project's metadata, or the official checkpoint's `config`
 * (`MODEL.ASMLP.SHIFT_SIZE`, `DATA.IMG_SIZE`). Malformed values are errors that name the field.
 */
export function decodeMetadata(metadata: Readonly<Record<string, unknown>>, source: string): FileMetadata {
  const text = (key: string) => (typeof metadata[key] === 'string' ? (metadata[key] as string) : undefined);
  const numbers = (key: string, count?: number): number[] | undefined => {
    const value = text(key);
    if (value === undefined) return undefined;
    const list = value.split(',').map(Number);
    if (list.every(Number.isFinite) && (count === undefined || list.length === count)) return list;
    throw new AsMlpError('weights', {
      where: source,
      what: `the metadata field ${key} is "${value}"`,
      fix: `It should be ${count ?? 'one or more'} numbers separated by commas`,
    });
  };
  const official = officialConfig(metadata.config);
  const shift = numbers('shift_size');
  const size = numbers('img_size', 1)?.[0] ?? official.size;
  const cropFraction = numbers('crop_fraction', 1)?.[0];
  const mean = numbers('mean', 3) as Preprocessing['mean'] | undefined;
  const std = numbers('std', 3) as Preprocessing['std'] | undefined;
  const dilation = numbers('shift_dilation', 1)?.[0];
  return {
    shiftSize: shift?.length === 2 ? [shift[0]!, shift[1]!] : (shift?.[0] ?? official.shiftSize),
    labels: classNames(text('class_names'), source),
    preprocessing: {
      ...(size === undefined ? {} : { size }),
      ...(cropFraction === undefined ? {} : { cropFraction }),
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
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  } catch {
    // reported below
  }
  throw new AsMlpError('weights', {
    where: source,
    what: 'the metadata field class_names is not a JSON list of names',
    fix: 'Write the file again',
  });
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
