import type { FeatureSpec } from '@as-mlp/backbone';
import { ConvUnit, constant, type Mode, Module, ModuleList, resizeNearest, xavierUniform } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';

/**
 * Feature pyramid (Lin et al., 2017): a 1×1 convolution of each feature, added up from coarse to fine, then a 3×3
 * convolution of each, and one level more that takes every second cell of the coarsest.
 */
export class FeaturePyramid extends Module {
  /** Input pixels per cell of each level that {@link forward} gives. */
  readonly strides: readonly number[];
  private readonly laterals: ModuleList<ConvUnit>;
  private readonly outputs: ModuleList<ConvUnit>;

  constructor(features: readonly FeatureSpec[], channels: number) {
    super();
    const init = { weight: xavierUniform(), bias: constant(0) };
    const unit = (inChannels: number, kernelSize: number) =>
      new ConvUnit({ inChannels, outChannels: channels, kernelSize, init });
    this.laterals = this.add(
      'lateral_convs',
      new ModuleList(features.map((feature) => unit(feature.channels, 1))),
    );
    this.outputs = this.add('fpn_convs', new ModuleList(features.map(() => unit(channels, 3))));
    const strides = features.map(({ stride }) => stride);
    this.strides = [...strides, strides.at(-1)! * 2];
  }

  /** The declared features → one map `[B, H_i, W_i, channels]` more, ascending in stride. */
  forward(features: readonly tf.Tensor4D[], mode: Mode): tf.Tensor4D[] {
    return tf.tidy(() => {
      const sums = this.laterals.items.map((lateral, i) => lateral.forward(features[i]!, mode));
      for (let i = sums.length - 2; i >= 0; i--) {
        const fine = sums[i]!;
        const [, height, width] = fine.shape;
        sums[i] = tf.add(fine, resizeNearest(sums[i + 1]!, { height, width }));
        fine.dispose();
      }
      const maps = this.outputs.items.map((output, i) => output.forward(sums[i]!, mode));
      return [...maps, tf.maxPool(maps.at(-1)!, 1, 2, 'valid')];
    });
  }
}
