import {
  type AsMlpConfig,
  type Backbone,
  createAsMlp,
  type FeatureSpec,
  VARIANTS,
  variantConfig,
} from '@as-mlp/backbone';
import { AsMlpError, createRng } from '@as-mlp/base';
import { constant, INFERENCE, Linear, type MacCounts, type Mode, Module, truncNormal } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';

/** An architecture with a number of classes. */
export interface ClassificationConfig extends AsMlpConfig {
  readonly numClasses: number;
}

/**
 * AS-MLP for classification: the backbone's final feature, averaged over the map, through one linear layer.
 * Keys are those of the official checkpoints: the backbone at the root, then `norm.*`, `head.*`.
 */
export class ClassificationModel extends Module {
  readonly config: ClassificationConfig;
  readonly backbone: Backbone;
  private readonly head: Linear;

  constructor(config: ClassificationConfig, seed = 0) {
    super();
    if (!Number.isInteger(config.numClasses) || config.numClasses < 1) {
      throw new AsMlpError('usage', {
        what: `${config.numClasses} classes make no classifier`,
        fix: 'Give 1 or more',
      });
    }
    this.config = config;
    this.backbone = this.add('', createAsMlp(config, { out: 'final' }));
    this.head = this.add(
      'head',
      new Linear({
        inFeatures: this.backbone.features[0]!.channels,
        outFeatures: config.numClasses,
        // Official: N(0, 0.02) cut at ±2 (absolute), bias 0.
        init: { weight: truncNormal({ std: 0.02 }), bias: constant(0) },
      }),
    );
    this.initialize(createRng(seed));
  }

  /** Normalised images `[B, H, W, 3]` → logits `[B, numClasses]`. */
  forward(images: tf.Tensor4D, mode: Mode = INFERENCE): tf.Tensor2D {
    return tf.tidy(() => {
      const [feature] = this.backbone.forward(images, mode);
      return this.head.forward(tf.mean(feature!, [1, 2]) as tf.Tensor2D);
    });
  }

  /** The four stage outputs that the same architecture gives as a pyramid, for detection and segmentation. */
  stages(): readonly FeatureSpec[] {
    return createAsMlp(this.config, { out: 'pyramid' }).features;
  }

  /**
   * Multiply-accumulates for one image as the official code tallies them (it calls them FLOPs), from what was counted:
   * the products, and one for each element of a norm and of a sum of two shifted branches.
   */
  officialMacs(counts: MacCounts, image: { height: number; width: number }): number {
    const { channels, stride } = this.backbone.features[0]!;
    const cells = Math.ceil(image.height / stride) * Math.ceil(image.width / stride);
    // The official tally of the last norm takes (H/4·W/4)/2⁴ cells for the (H/4·W/4)/2⁶ there are; kept.
    const lastNorm = Math.floor((Math.floor(image.height / 4) * Math.floor(image.width / 4) * channels) / 16);
    return counts.products + counts.norms + counts.shifts / 2 + lastNorm - cells * channels;
  }
}

/** Names that {@link createClassificationModel} knows: `as-mlp-nano` … `as-mlp-base`. */
export const MODEL_NAMES: readonly string[] = Object.keys(VARIANTS).map((variant) => `as-mlp-${variant}`);

/** A freshly initialised classifier by model name, 1000 classes unless told otherwise. */
export function createClassificationModel(
  name: string,
  { numClasses = 1000, seed = 0, ...changes }: Partial<ClassificationConfig> & { seed?: number } = {},
): ClassificationModel {
  return new ClassificationModel({ ...variantConfig(name), ...changes, numClasses }, seed);
}
