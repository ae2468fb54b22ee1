import { inferArchitecture, type Shaped } from '@as-mlp/backbone';
import { AsMlpError } from '@as-mlp/base';
import type { SegmentationConfig } from './config.ts';

/** What the shapes of a state dict say; the shift size leaves no trace in them. */
export type InferredSegmenter = Omit<SegmentationConfig, 'shiftSize'>;

/** Whether a state dict is that of a classifier, whose backbone has no prefix. */
export function isBackboneFile(tensors: ReadonlyMap<string, Shaped>): boolean {
  return tensors.has('patch_embed.proj.weight');
}

/**
 * Reads backbone, classes and every width of a segmentation network from the shapes of its state dict.
 *
 * @throws AsMlpError `weights` when the keys are not those of UperNet on AS-MLP.
 */
export function inferSegmenter(tensors: ReadonlyMap<string, Shaped>, source = 'weights'): InferredSegmenter {
  if (isBackboneFile(tensors)) {
    throw new AsMlpError('weights', {
      where: source,
      what: 'this is a classification checkpoint: it has a backbone, and nothing that classifies pixels',
      fix: 'Use it with `classify`, or train a segmentation network from it (`train --finetune`)',
    });
  }
  const { config } = inferArchitecture(tensors, { prefix: 'backbone.', source });
  const outputs = (name: string): number => {
    const found = tensors.get(name)?.shape;
    if (found?.length === 4) return found[0]!;
    throw new AsMlpError('weights', {
      where: source,
      what: `${name} is ${found ? `[${found}]` : 'missing'}`,
      fix: 'Use an UperNet checkpoint of AS-MLP, or one that this project trained',
    });
  };
  const auxiliary = 'auxiliary_head.convs.0.conv.weight';
  return {
    ...config,
    numClasses: outputs('decode_head.conv_seg.weight'),
    channels: outputs('decode_head.fpn_bottleneck.conv.weight'),
    auxiliaryChannels: tensors.has(auxiliary) ? outputs(auxiliary) : 0,
  };
}
