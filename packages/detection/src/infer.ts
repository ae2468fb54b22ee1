import { inferArchitecture, type Shaped } from '@as-mlp/backbone';
import { AsMlpError } from '@as-mlp/base';
import { BOX_CELLS, BOX_STAGES, type DetectionConfig } from './config.ts';

/** What the shapes of a state dict say; the shift size leaves no trace in them. */
export type InferredDetector = Omit<DetectionConfig, 'shiftSize'>;

/** Whether a state dict is that of a classifier, whose backbone has no prefix. */
export function isBackboneFile(tensors: ReadonlyMap<string, Shaped>): boolean {
  return tensors.has('patch_embed.proj.weight');
}

/**
 * Reads backbone, architecture, classes and every width of a detector from the shapes of its state dict.
 *
 * @throws AsMlpError `weights` when the keys are not those of Mask R-CNN or Cascade Mask R-CNN on AS-MLP.
 */
export function inferDetector(tensors: ReadonlyMap<string, Shaped>, source = 'weights'): InferredDetector {
  if (isBackboneFile(tensors)) {
    throw new AsMlpError('weights', {
      where: source,
      what: 'this is a classification checkpoint: it has a backbone, and nothing that finds boxes',
      fix: 'Use it with `classify`, or train a detector from it (`train --finetune`)',
    });
  }
  const { config } = inferArchitecture(tensors, { prefix: 'backbone.', source });
  const fault = (what: string) =>
    new AsMlpError('weights', {
      where: source,
      what,
      fix: 'Use a Mask R-CNN or Cascade Mask R-CNN checkpoint of AS-MLP, or one that this project trained',
    });
  const shape = (name: string, axes: number): readonly number[] => {
    const found = tensors.get(name)?.shape;
    if (found?.length === axes) return found;
    throw fault(`${name} is ${found ? `[${found}]` : 'missing'}`);
  };
  const count = (prefix: string, suffix: string): number => {
    let n = 0;
    while (tensors.has(`${prefix}.${n}.${suffix}`)) n++;
    return n;
  };

  const stages = count('roi_head.bbox_head', 'fc_cls.weight');
  const architecture = stages > 0 ? 'cascade-mask-rcnn' : 'mask-rcnn';
  const expected = BOX_STAGES[architecture].length;
  if (stages > 0 && stages !== expected) throw fault(`it has ${stages} box stages, not ${expected}`);
  const [box, mask] = ['bbox_head', 'mask_head'].map((head) => `roi_head.${head}${stages > 0 ? '.0' : ''}`);

  const [classes, boxFcChannels] = shape(`${box}.fc_cls.weight`, 2) as [number, number];
  const numClasses = classes - 1;
  const [deltas] = shape(`${box}.fc_reg.weight`, 2);
  if (deltas !== 4 * numClasses)
    throw fault(`${box}.fc_reg gives ${deltas} numbers, not four for each class`);
  const channels = shape('neck.fpn_convs.0.conv.weight', 4)[0]!;
  const boxConvs = count(`${box}.shared_convs`, 'conv.weight');
  const boxConvChannels = boxConvs > 0 ? shape(`${box}.shared_convs.0.conv.weight`, 4)[0]! : channels;
  const cells = shape(`${box}.shared_fcs.0.weight`, 2)[1]! / boxConvChannels;
  if (cells !== BOX_CELLS ** 2) throw fault(`${box} takes ${cells} cells of a region, not ${BOX_CELLS ** 2}`);
  return {
    ...config,
    architecture,
    numClasses,
    channels,
    rpnChannels: shape('rpn_head.rpn_conv.weight', 4)[0]!,
    boxConvs,
    boxConvChannels,
    boxFcs: count(`${box}.shared_fcs`, 'weight'),
    boxFcChannels,
    maskConvs: count(`${mask}.convs`, 'conv.weight'),
    maskChannels: shape(`${mask}.upsample.weight`, 4)[1]!,
  };
}
