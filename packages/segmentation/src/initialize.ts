import { fileSource } from '@as-mlp/base/node';
import { type LoadReport, openWeights, type WeightEntry } from '@as-mlp/nn';
import { areSameClasses } from './data/class-names.ts';
import { isBackboneFile } from './infer.ts';
import { decodeMetadata } from './metadata.ts';
import type { SegmentationModel } from './model.ts';

/** What only one of the two has: a classifier's last norm and head, and the norms of the pyramid. */
const OF_CLASSIFIERS = /^(norm|head)\./;
const OF_PYRAMIDS = /^norm[0-3]\./;

/**
 * Starts a model from the weights of another training: all of a network with the same classes, a network without its
 * class-wise layers when it has others, or the backbone alone of a classification checkpoint.
 *
 * @param labels the model's classes: as many classes with other names are others too. Where the file names none, or this is not
 * given, their number decides.
 * @throws AsMlpError when the file cannot be read or does not fit.
 */
export async function initializeFrom(
  model: SegmentationModel,
  path: string,
  labels?: readonly string[],
): Promise<LoadReport> {
  const file = await fileSource(path);
  try {
    const { entries, metadata } = await openWeights(file);
    if (!isBackboneFile(entries)) {
      const { labels: named } = decodeMetadata(metadata, path);
      const areOthers = labels && named ? !areSameClasses(named, labels) : false;
      return await loadSegmenter(model, entries, path, areOthers);
    }
    return await model.backbone.load(entries, {
      source: path,
      allowMissing: (name) => OF_PYRAMIDS.test(name),
      allowUnexpected: (name) => OF_CLASSIFIERS.test(name),
    });
  } finally {
    await file.close();
  }
}

/** Layers with an output for each class keep their initial values when the classes are others. */
async function loadSegmenter(
  model: SegmentationModel,
  entries: ReadonlyMap<string, WeightEntry>,
  source: string,
  areOthers: boolean,
): Promise<LoadReport> {
  const isClassWise = (name: string) => /\.conv_seg\.(weight|bias)$/.test(name);
  const outputs = entries.get('decode_head.conv_seg.weight')?.shape[0];
  const isOther = areOthers || outputs !== model.config.numClasses;
  const used = isOther ? new Map([...entries].filter(([name]) => !isClassWise(name))) : entries;
  return await model.load(used, { source, allowMissing: (name) => isOther && isClassWise(name) });
}
