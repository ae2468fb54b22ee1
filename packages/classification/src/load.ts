import { type WeightSource, withWeights } from '@as-mlp/train';
import {
  type ClassificationFile,
  type Classifier,
  type ClassifierOptions,
  classifierFromWeights,
  inspectWeights,
} from './classifier.ts';
import { MODEL_NAMES } from './model.ts';

/**
 * A classifier from an official `.pth` checkpoint or a `.safetensors` file of this project. Architecture, class names and
 * preprocessing come from the file; see {@link ClassifierOptions} for what a file may not say.
 *
 * @throws AsMlpError `input` when the file cannot be read, `weights` when it is damaged, hostile or of another network,
 * `usage` when options contradict the file. Nothing stays allocated then.
 */
export function loadClassifier(source: WeightSource, options: ClassifierOptions = {}): Promise<Classifier> {
  return withWeights(source, async (file, name) => classifierFromWeights(file, name, options), MODEL_NAMES);
}

/** What a weight file says of its network, without reading a value. */
export function inspectClassifier(
  source: WeightSource,
  options: ClassifierOptions = {},
): Promise<ClassificationFile> {
  return withWeights(source, async (file, name) => inspectWeights(file, name, options), MODEL_NAMES);
}
