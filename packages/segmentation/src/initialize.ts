import { initializeBackbone } from '@as-mlp/backbone';
import type { LoadReport } from '@as-mlp/nn';
import { loadForClasses, withWeights } from '@as-mlp/train';
import { areSameClasses } from './data/class-names.ts';
import { decodeMetadata } from './metadata.ts';
import type { SegmentationModel } from './model.ts';

/** Which file is a segmentation network. */
const CLASSIFIER = 'decode_head.conv_seg.weight';

/** Layers with an output for each class. */
const isClassWise = (name: string) => /\.conv_seg\.(weight|bias)$/.test(name);

/**
 * Starts a model from the weights of another training: all of a network with the same classes, a network without its
 * class-wise layers when it has others, or the backbone alone of a classification checkpoint or a detector.
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
  return await withWeights(path, async ({ entries, metadata }) => {
    if (!entries.has(CLASSIFIER)) return await initializeBackbone(model.backbone, entries, path);
    const { labels: named } = decodeMetadata(metadata, path);
    const areOthers = labels && named ? !areSameClasses(named, labels) : false;
    return await loadForClasses(model, entries, { source: path, isClassWise, areOthers });
  });
}
