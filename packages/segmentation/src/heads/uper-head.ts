import type { FeatureSpec } from '@as-mlp/backbone';
import { type ConvUnit, type Mode, Module, ModuleList, resizeBilinear } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { FAST_FORM, type HeadForm } from './form.ts';
import { PixelHead, unit } from './pixel-head.ts';

/** Bins a side of the pyramid pooling module. */
const POOL_BINS = [1, 2, 3, 6] as const;

/** One scale of the pyramid pooling: bins × bins means, then a 1×1 convolution. Key `1.*`, for the pooling is 0. */
class PooledUnit extends Module {
  private readonly bins: number;
  private readonly unit: ConvUnit;

  constructor(bins: number, inChannels: number, channels: number) {
    super();
    this.bins = bins;
    this.unit = this.add('1', unit(inChannels, channels, 1));
  }

  /** `[B, H, W, inChannels]` → `[B, bins, bins, channels]`. */
  forward(x: tf.Tensor4D, mode: Mode, form: HeadForm): tf.Tensor4D {
    return this.unit.forward(form.pool(x, this.bins), mode);
  }
}

/**
 * The decode head of UperNet (Xiao et al., 2018): pyramid pooling (Zhao et al., 2017) of the coarsest feature, a feature
 * pyramid added up from coarse to fine, and one 3×3 convolution of all levels at the finest one's size.
 */
export class UperHead extends PixelHead {
  private readonly pooled: ModuleList<PooledUnit>;
  private readonly bottleneck: ConvUnit;
  private readonly laterals: ModuleList<ConvUnit>;
  private readonly outputs: ModuleList<ConvUnit>;
  private readonly fusion: ConvUnit;

  constructor(features: readonly FeatureSpec[], channels: number, numClasses: number) {
    super(channels, numClasses);
    const top = features.at(-1)!.channels;
    const fine = features.slice(0, -1);
    this.pooled = this.add(
      'psp_modules',
      new ModuleList(POOL_BINS.map((bins) => new PooledUnit(bins, top, channels))),
    );
    this.bottleneck = this.add('bottleneck', unit(top + POOL_BINS.length * channels, channels, 3));
    this.laterals = this.add(
      'lateral_convs',
      new ModuleList(fine.map((feature) => unit(feature.channels, channels, 1))),
    );
    this.outputs = this.add('fpn_convs', new ModuleList(fine.map(() => unit(channels, channels, 3))));
    this.fusion = this.add('fpn_bottleneck', unit(features.length * channels, channels, 3));
  }

  /** The backbone's features → logits at the finest one's size, `[B, H, W, numClasses]`. */
  forward(features: readonly tf.Tensor4D[], mode: Mode, form: HeadForm = FAST_FORM): tf.Tensor4D {
    return tf.tidy(() => this.classify(this.fuse(features, mode, form), mode));
  }

  private fuse(features: readonly tf.Tensor4D[], mode: Mode, form: HeadForm): tf.Tensor4D {
    const context = this.context(features.at(-1)!, mode, form);
    const sums = this.laterals.items.map((lateral, i) => lateral.forward(features[i]!, mode));
    sums.push(context);
    for (let i = sums.length - 2; i >= 0; i--) {
      sums[i] = tf.add(sums[i]!, resizeLike(sums[i]!, sums[i + 1]!, mode));
    }
    const levels = [...this.outputs.items.map((output, i) => output.forward(sums[i]!, mode)), context];
    return mix(this.fusion, levels as [tf.Tensor4D, ...tf.Tensor4D[]], mode, form);
  }

  /** The coarsest feature and its means over ever smaller parts of the image, mixed. */
  private context(top: tf.Tensor4D, mode: Mode, form: HeadForm): tf.Tensor4D {
    const pooled = this.pooled.items.map((one) => one.forward(top, mode, form));
    return mix(this.bottleneck, [top, ...pooled], mode, form);
  }
}

/** A unit on maps that are resized to the size of the first. */
function mix(
  unit: ConvUnit,
  maps: readonly [tf.Tensor4D, ...tf.Tensor4D[]],
  mode: Mode,
  form: HeadForm,
): tf.Tensor4D {
  const kernel = unit.conv.weight.value as unknown as tf.Tensor4D;
  return unit.finish(form.convolve(maps, kernel), mode);
}

/** `x` at the height and width of `target`. Training is of one size; a compiled prediction follows every size. */
function resizeLike(target: tf.Tensor4D, x: tf.Tensor4D, mode: Mode): tf.Tensor4D {
  const [, height, width] = target.shape;
  return resizeBilinear(x, { height, width }, mode.training ? 'exact' : 'fast');
}
