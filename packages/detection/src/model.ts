import { type Backbone, createAsMlp } from '@as-mlp/backbone';
import { AsMlpError, createRng } from '@as-mlp/base';
import { INFERENCE, type Mode, Module, ModuleList } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { BOX_STAGES, type DetectionConfig, detectionConfig } from './config.ts';
import { BoxHead } from './heads/box-head.ts';
import { FeaturePyramid } from './heads/feature-pyramid.ts';
import { MaskHead } from './heads/mask-head.ts';
import { RpnHead, type RpnOutput } from './heads/rpn-head.ts';

/** The heads that look at regions: one each for Mask R-CNN, three each for Cascade Mask R-CNN. */
class RoiHead extends Module {
  readonly boxHeads: readonly BoxHead[];
  readonly maskHeads: readonly MaskHead[];

  constructor(config: DetectionConfig) {
    super();
    const stages = BOX_STAGES[config.architecture];
    this.boxHeads = stages.map(() => new BoxHead(config));
    this.maskHeads = stages.map(() => new MaskHead(config));
    const isCascade = config.architecture === 'cascade-mask-rcnn';
    const nameless = <T extends Module>(heads: readonly T[]) =>
      isCascade ? new ModuleList(heads) : heads[0]!;
    this.add('bbox_head', nameless(this.boxHeads));
    this.add('mask_head', nameless(this.maskHeads));
  }
}

/**
 * Mask R-CNN or Cascade Mask R-CNN on AS-MLP features. Keys are those of the official checkpoints: `backbone.*`, `neck.*`,
 * `rpn_head.*`, `roi_head.*`.
 */
export class DetectionModel extends Module {
  readonly config: DetectionConfig;
  readonly backbone: Backbone;
  readonly neck: FeaturePyramid;
  readonly rpnHead: RpnHead;
  /** One for each box stage. */
  readonly boxHeads: readonly BoxHead[];
  readonly maskHeads: readonly MaskHead[];

  constructor(config: DetectionConfig, seed = 0) {
    super();
    checkConfig(config);
    this.config = config;
    this.backbone = this.add('backbone', createAsMlp(config, { out: 'pyramid' }));
    this.neck = this.add('neck', new FeaturePyramid(this.backbone.features, config.channels));
    this.rpnHead = this.add('rpn_head', new RpnHead(config.channels, config.rpnChannels));
    const { boxHeads, maskHeads } = this.add('roi_head', new RoiHead(config));
    this.boxHeads = boxHeads;
    this.maskHeads = maskHeads;
    this.initialize(createRng(seed));
  }

  /** Normalised images `[B, H, W, 3]`, sides multiples of 32, → maps P2 … P6, `[B, H / stride, W / stride, channels]`. */
  features(images: tf.Tensor4D, mode: Mode = INFERENCE): tf.Tensor4D[] {
    return tf.tidy(() => this.neck.forward(this.backbone.forward(images, mode), mode));
  }

  /** Everything that does not depend on regions: the maps P2 … P6, and what the proposal network says of each. */
  dense(images: tf.Tensor4D, mode: Mode = INFERENCE): { maps: tf.Tensor4D[]; rpn: RpnOutput[] } {
    const maps = this.features(images, mode);
    return { maps, rpn: maps.map((map) => this.rpnHead.forward(map)) };
  }
}

/** A freshly initialised detector by model name, such as `mask-rcnn-as-mlp-tiny`, or by its configuration. */
export function createDetectionModel(
  model: string | DetectionConfig,
  { seed = 0, ...changes }: Partial<DetectionConfig> & { seed?: number } = {},
): DetectionModel {
  const config = typeof model === 'string' ? detectionConfig(model, changes) : { ...model, ...changes };
  return new DetectionModel(config, seed);
}

function checkConfig(config: DetectionConfig): void {
  const counts = [
    'numClasses',
    'channels',
    'rpnChannels',
    'boxFcs',
    'boxFcChannels',
    'maskChannels',
  ] as const;
  const fault = counts.find((key) => !Number.isInteger(config[key]) || config[key] < 1);
  if (!fault) return;
  throw new AsMlpError('usage', {
    what: `a detector with ${fault} ${config[fault]} does not hold together`,
    fix: 'Give a whole number from 1',
  });
}
