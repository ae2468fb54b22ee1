import {
  Conv2d,
  ConvUnit,
  channelDropout,
  constant,
  kaimingNormal,
  type Mode,
  Module,
  normal,
} from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';

/** Share of the channels that a head drops before it classifies, in training. */
const DROPOUT = 0.1;

/** Convolution, batch norm and ReLU as the heads use them. */
export const unit = (inChannels: number, outChannels: number, kernelSize: 1 | 3): ConvUnit =>
  new ConvUnit({
    inChannels,
    outChannels,
    kernelSize,
    norm: true,
    relu: true,
    init: { weight: kaimingNormal({ mode: 'fan_out' }), bias: constant(0) },
  });

/** What classifies each cell of a map: drops whole channels in training, then a 1×1 convolution; keys `conv_seg.*`. */
export abstract class PixelHead extends Module {
  private readonly classifier: Conv2d;

  constructor(channels: number, numClasses: number) {
    super();
    const init = { weight: normal({ std: 0.01 }), bias: constant(0) };
    this.classifier = this.add(
      'conv_seg',
      new Conv2d({ inChannels: channels, outChannels: numClasses, kernelSize: 1, init }),
    );
  }

  /** `[B, H, W, channels]` → logits `[B, H, W, numClasses]`. */
  protected classify(x: tf.Tensor4D, mode: Mode): tf.Tensor4D {
    return tf.tidy(() => this.classifier.forward(channelDropout(x, DROPOUT, mode)));
  }
}
