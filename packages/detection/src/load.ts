import { type WeightSource, withWeights } from '@as-mlp/train';
import { MODEL_NAMES } from './config.ts';
import {
  type DetectionFile,
  type Detector,
  type DetectorOptions,
  detectorFromWeights,
  inspectWeights,
} from './detector.ts';

/**
 * A detector from an official `.pth` checkpoint or a `.safetensors` file of this project. Architecture, class names and
 * preprocessing come from the file; see {@link DetectorOptions} for what a file may not say.
 *
 * @throws AsMlpError `input` when the file cannot be read, `weights` when it is damaged, hostile or of another network,
 * `usage` when options contradict the file. Nothing stays allocated then.
 */
export function loadDetector(source: WeightSource, options: DetectorOptions = {}): Promise<Detector> {
  return withWeights(source, async (file, name) => detectorFromWeights(file, name, options), MODEL_NAMES);
}

/** What a weight file says of its network, without reading a value. */
export function inspectDetector(source: WeightSource, options: DetectorOptions = {}): Promise<DetectionFile> {
  return withWeights(source, async (file, name) => inspectWeights(file, name, options), MODEL_NAMES);
}
