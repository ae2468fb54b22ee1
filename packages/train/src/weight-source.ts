import { AsMlpError } from '@as-mlp/base';
import { fileSource } from '@as-mlp/base/node';
import {
  type ByteSource,
  type LoadReport,
  type Module,
  openWeights,
  type WeightEntry,
  type WeightFile,
} from '@as-mlp/nn';

/** A weight file: its path, or anything that reads bytes (`bytesSource` in a browser). */
export type WeightSource = string | ByteSource;

/**
 * Opens a weight file for as long as `use` runs; `name` is what messages call it.
 *
 * @param modelNames names of architectures, which people give where a file is asked for.
 * @throws AsMlpError `input` when the file cannot be read, `weights` when it is damaged, `usage` for a name.
 */
export async function withWeights<T>(
  source: WeightSource,
  use: (file: WeightFile, name: string) => Promise<T>,
  modelNames: readonly string[] = [],
): Promise<T> {
  if (typeof source !== 'string') return use(await openWeights(source), source.name);
  if (modelNames.includes(source)) {
    throw new AsMlpError('usage', {
      where: source,
      what: 'this names an architecture, not a file with weights',
      fix: 'Give the path of a .pth or .safetensors checkpoint',
    });
  }
  const file = await fileSource(source);
  try {
    return await use(await openWeights(file), file.name);
  } finally {
    await file.close();
  }
}

/**
 * Loads all of a model from weights of the same network. Where their classes are others – another number of outputs, or
 * `areOthers` says so – the class-wise layers keep their initial values.
 *
 * @param isClassWise whether a parameter has one output or several for each class.
 * @throws AsMlpError (weights) when anything else does not fit.
 */
export async function loadForClasses(
  model: Module,
  entries: ReadonlyMap<string, WeightEntry>,
  how: {
    readonly source: string;
    readonly isClassWise: (name: string) => boolean;
    readonly areOthers?: boolean;
  },
): Promise<LoadReport> {
  const { source, isClassWise } = how;
  const differs = ([name, { shape }]: readonly [string, { readonly shape: readonly number[] }]) =>
    isClassWise(name) && entries.get(name)?.shape[0] !== shape[0];
  const isOther = how.areOthers === true || [...model.namedTensors()].some(differs);
  const used = isOther ? new Map([...entries].filter(([name]) => !isClassWise(name))) : entries;
  return await model.load(used, { source, allowMissing: (name) => isOther && isClassWise(name) });
}
