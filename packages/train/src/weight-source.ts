import { AsMlpError } from '@as-mlp/base';
import { fileSource } from '@as-mlp/base/node';
import { type ByteSource, openWeights, type WeightFile } from '@as-mlp/nn';

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
