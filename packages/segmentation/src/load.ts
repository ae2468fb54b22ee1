import { AsMlpError } from '@as-mlp/base';
import { fileSource } from '@as-mlp/base/node';
import { type ByteSource, openWeights } from '@as-mlp/nn';
import { MODEL_NAMES } from './config.ts';
import {
  inspectWeights,
  type SegmentationFile,
  type Segmenter,
  type SegmenterOptions,
  segmenterFromWeights,
} from './segmenter.ts';

/** A weight file: its path, or anything that reads bytes (`bytesSource` in a browser). */
export type WeightSource = string | ByteSource;

async function withSource<T>(source: WeightSource, use: (bytes: ByteSource) => Promise<T>): Promise<T> {
  if (typeof source !== 'string') return use(source);
  if (MODEL_NAMES.includes(source)) {
    throw new AsMlpError('usage', {
      where: source,
      what: 'this names an architecture, not a file with weights',
      fix: 'Give the path of a .pth or .safetensors checkpoint',
    });
  }
  const file = await fileSource(source);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/**
 * A segmenter from an official `.pth` checkpoint or a `.safetensors` file of this project. Architecture, class names and
 * preprocessing come from the file; see {@link SegmenterOptions} for what a file may not say.
 *
 * @throws AsMlpError `input` when the file cannot be read, `weights` when it is damaged, hostile or of another network,
 * `usage` when options contradict the file. Nothing stays allocated then.
 */
export function loadSegmenter(source: WeightSource, options: SegmenterOptions = {}): Promise<Segmenter> {
  return withSource(source, async (bytes) =>
    segmenterFromWeights(await openWeights(bytes), bytes.name, options),
  );
}

/** What a weight file says of its network, without reading a value. */
export function inspectSegmenter(
  source: WeightSource,
  options: SegmenterOptions = {},
): Promise<SegmentationFile> {
  return withSource(source, async (bytes) => inspectWeights(await openWeights(bytes), bytes.name, options));
}
