import { initializeBackbone } from '@as-mlp/backbone';
import type { LoadReport } from '@as-mlp/nn';
import { loadForClasses, withWeights } from '@as-mlp/train';
import { decodeMetadata } from './metadata.ts';
import type { DetectionModel } from './model.ts';

/** Which file is a detector. */
const PROPOSALS = 'rpn_head.rpn_conv.weight';

/** Layers with an output for each class. */
const isClassWise = (name: string) => /\.(fc_cls|fc_reg|conv_logits)\.(weight|bias)$/.test(name);

/**
 * Starts a model from the weights of another training: all of a detector with the same classes, a detector without its
 * class-wise layers when it has others, or the backbone alone of a classification checkpoint or a segmentation
 * network.
 *
 * @param labels the model's classes: as many classes with other names are others too. Where the file names none, or this is not
 * given, their number decides.
 * @throws AsMlpError when the file cannot be read or does not fit.
 */
export async function initializeFrom(
  model: DetectionModel,
  path: string,
  labels?: readonly string[],
): Promise<LoadReport> {
  return await withWeights(path, async ({ entries, metadata }) => {
    if (!entries.has(PROPOSALS)) return await initializeBackbone(model.backbone, entries, path);
    const { labels: named } = decodeMetadata(metadata, path);
    const areOthers = labels && named ? named.join('\n') !== labels.join('\n') : false;
    return await loadForClasses(model, entries, { source: path, isClassWise, areOthers });
  });
}
