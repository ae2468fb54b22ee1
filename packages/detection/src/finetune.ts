import { inferArchitecture } from '@as-mlp/backbone';
import { withWeights } from '@as-mlp/train';
import { type DetectionConfig, modelName } from './config.ts';
import { inspectWeights } from './detector.ts';
import { isBackboneFile } from './infer.ts';
import { decodeMetadata } from './metadata.ts';
import { atScale, FINETUNE_RECIPE } from './presets.ts';
import type { DetectionRecipeInput } from './recipe.ts';

/**
 * The recipe for going on from weights of another training, with the network that they belong to: a detector's own, or
 * Mask R-CNN on the backbone of a classification checkpoint.
 *
 * @throws AsMlpError when the file cannot be read or is of another network.
 */
export async function finetuneRecipe(path: string): Promise<DetectionRecipeInput> {
  return await withWeights(path, async (weights) => {
    if (isBackboneFile(weights.entries)) {
      const { config } = inferArchitecture(weights.entries, { source: path });
      const { shiftSize } = decodeMetadata(weights.metadata, path);
      const model = modelName({ ...config, architecture: 'mask-rcnn' } as DetectionConfig);
      return { ...FINETUNE_RECIPE, model, shiftSize: typeof shiftSize === 'number' ? shiftSize : null };
    }
    const { config, preprocessing } = inspectWeights(weights, path);
    const { channels, rpnChannels, boxConvChannels, boxFcChannels, maskConvs, maskChannels } = config;
    const recipe = {
      ...FINETUNE_RECIPE,
      model: modelName(config),
      widths: { channels, rpnChannels, boxConvChannels, boxFcChannels, maskConvs, maskChannels },
      shiftSize: typeof config.shiftSize === 'number' ? config.shiftSize : null,
    };
    return atScale(recipe, preprocessing);
  });
}
