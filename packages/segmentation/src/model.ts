import { type Backbone, createAsMlp } from '@as-mlp/backbone';
import { AsMlpError, createRng } from '@as-mlp/base';
import { INFERENCE, type Mode, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { type SegmentationConfig, segmentationConfig } from './config.ts';
import { FcnHead } from './heads/fcn-head.ts';
import { DEFINED_FORM, FAST_FORM, type HeadForm } from './heads/form.ts';
import { UperHead } from './heads/uper-head.ts';

/** What the heads say in training. */
export interface SegmentationOutputs {
  /** `[B, ⌈H / 4⌉, ⌈W / 4⌉, numClasses]`. */
  readonly logits: tf.Tensor4D;
  /** `[B, ⌈H / 16⌉, ⌈W / 16⌉, numClasses]`; undefined for a network without auxiliary head. */
  readonly auxiliary: tf.Tensor4D | undefined;
}

/**
 * UperNet on AS-MLP features. Keys are those of the official checkpoints: `backbone.*`, `decode_head.*`,
 * `auxiliary_head.*`.
 */
export class SegmentationModel extends Module {
  readonly config: SegmentationConfig;
  readonly backbone: Backbone;
  readonly decodeHead: UperHead;
  readonly auxiliaryHead: FcnHead | undefined;

  constructor(config: SegmentationConfig, seed = 0) {
    super();
    checkConfig(config);
    this.config = config;
    const { channels, auxiliaryChannels, numClasses } = config;
    this.backbone = this.add('backbone', createAsMlp(config, { out: 'pyramid' }));
    const { features } = this.backbone;
    this.decodeHead = this.add('decode_head', new UperHead(features, channels, numClasses));
    if (auxiliaryChannels > 0) {
      const { channels: inChannels } = features[2]!;
      this.auxiliaryHead = this.add('auxiliary_head', new FcnHead(inChannels, auxiliaryChannels, numClasses));
    }
    this.initialize(createRng(seed));
  }

  /** Normalised images `[B, H, W, 3]` → logits `[B, ⌈H / 4⌉, ⌈W / 4⌉, numClasses]` of the decode head. */
  forward(images: tf.Tensor4D, mode: Mode = INFERENCE): tf.Tensor4D {
    return this.decode(images, mode, FAST_FORM);
  }

  /** What {@link forward} computes, word for word as UperNet is defined: for counting, as published figures do. */
  forwardAsDefined(images: tf.Tensor4D): tf.Tensor4D {
    return this.decode(images, INFERENCE, DEFINED_FORM);
  }

  private decode(images: tf.Tensor4D, mode: Mode, form: HeadForm): tf.Tensor4D {
    return tf.tidy(() => this.decodeHead.forward(this.backbone.forward(images, mode), mode, form));
  }

  /** Normalised images `[B, H, W, 3]` → what both heads say. Training needs at least two images, for batch norms. */
  outputs(images: tf.Tensor4D, mode: Mode): SegmentationOutputs {
    const features = this.backbone.forward(images, mode);
    const logits = this.decodeHead.forward(features, mode);
    const auxiliary = this.auxiliaryHead?.forward(features[2]!, mode);
    tf.dispose(features);
    return { logits, auxiliary };
  }
}

/** A freshly initialised network by model name, such as `upernet-as-mlp-tiny`, or by its configuration. */
export function createSegmentationModel(
  model: string | SegmentationConfig,
  { seed = 0, ...changes }: Partial<SegmentationConfig> & { seed?: number } = {},
): SegmentationModel {
  const config = typeof model === 'string' ? segmentationConfig(model, changes) : { ...model, ...changes };
  return new SegmentationModel(config, seed);
}

/** Class indices are written as 16 bits at most. */
const MOST_CLASSES = 65_535;

function checkConfig({ numClasses, channels, auxiliaryChannels }: SegmentationConfig): void {
  const isCount = (value: number, least: number) => Number.isInteger(value) && value >= least;
  const faults = [
    ...(isCount(numClasses, 1) && numClasses <= MOST_CLASSES ? [] : [`numClasses ${numClasses}`]),
    ...(isCount(channels, 1) ? [] : [`channels ${channels}`]),
    ...(isCount(auxiliaryChannels, 0) ? [] : [`auxiliaryChannels ${auxiliaryChannels}`]),
  ];
  if (faults.length === 0) return;
  throw new AsMlpError('usage', {
    what: `a segmentation network does not hold together with ${faults.join(', ')}`,
    fix: 'Give a whole number from 1',
  });
}
