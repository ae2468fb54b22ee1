import { type WeightSource, withWeights } from '@as-mlp/train';
import { MODEL_NAMES } from './config.ts';
import {
  inspectWeights,
  type SegmentationFile,
  type Segmenter,
  type SegmenterOptions,
  segmenterFromWeights,
} from './segmenter.ts';

/**
 * A segmenter from an official `.pth` checkpoint or a `.safetensors` file of this project. Architecture, class names and
 * preprocessing come from the file; see {@link SegmenterOptions} for what a file may not say.
 *
 * @throws AsMlpError `input` when the file cannot be read, `weights` when it is damaged, hostile or of another network,
 * `usage` when options contradict the file. Nothing stays allocated then.
 */
export function loadSegmenter(source: WeightSource, options: SegmenterOptions = {}): Promise<Segmenter> {
  return withWeights(source, async (file, name) => segmenterFromWeights(file, name, options), MODEL_NAMES);
}

/** What a weight file says of its network, without reading a value. */
export function inspectSegmenter(
  source: WeightSource,
  options: SegmenterOptions = {},
): Promise<SegmentationFile> {
  return withWeights(source, async (file, name) => inspectWeights(file, name, options), MODEL_NAMES);
}
