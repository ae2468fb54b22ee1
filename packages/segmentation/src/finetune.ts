import { inferArchitecture } from '@as-mlp/backbone';
import { withWeights } from '@as-mlp/train';
import { modelName } from './config.ts';
import { isBackboneFile } from './infer.ts';
import { decodeMetadata } from './metadata.ts';
import { atScale, FINETUNE_RECIPE } from './presets.ts';
import type { SegmentationRecipeInput } from './recipe.ts';
import { inspectWeights } from './segmenter.ts';

/**
 * The recipe for going on from weights of another training, with the network that they belong to: a segmentation network's own, or
 * UperNet on the backbone of a classification checkpoint.
 *
 * @throws AsMlpError when the file cannot be read or is of another network.
 */
export async function finetuneRecipe(path: string): Promise<SegmentationRecipeInput> {
  return await withWeights(path, async (weights) => {
    if (isBackboneFile(weights.entries)) {
      const { config } = inferArchitecture(weights.entries, { source: path });
      const { shiftSize } = decodeMetadata(weights.metadata, path);
      return {
        ...FINETUNE_RECIPE,
        model: modelName(config),
        shiftSize: typeof shiftSize === 'number' ? shiftSize : null,
      };
    }
    const { config, preprocessing } = inspectWeights(weights, path);
    const { channels, auxiliaryChannels, shiftSize } = config;
    const recipe = {
      ...FINETUNE_RECIPE,
      model: modelName(config),
      widths: { channels, auxiliaryChannels },
      shiftSize: typeof shiftSize === 'number' ? shiftSize : null,
    };
    return atScale(recipe, preprocessing);
  });
}
