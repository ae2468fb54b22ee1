import { BatchNorm, Conv2d, type Conv2dConfig, type Mode, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';

/** Convolution, then batch norm if asked for, then ReLU if asked for; keys `conv.*` and `bn.*`, as officially. */
export class ConvUnit extends Module {
  private readonly conv: Conv2d;
  private readonly bn: BatchNorm | undefined;
  private readonly relu: boolean;

  constructor({ norm = false, relu = false, ...config }: Conv2dConfig & { norm?: boolean; relu?: boolean }) {
    super();
    const padding = (config.kernelSize - 1) / 2;
    this.conv = this.add('conv', new Conv2d({ ...config, padding, bias: !norm }));
    this.bn = norm ? this.add('bn', new BatchNorm(config.outChannels)) : undefined;
    this.relu = relu;
  }

  /** `[B, H, W, inChannels]` → `[B, H, W, outChannels]`. */
  forward(x: tf.Tensor4D, mode: Mode): tf.Tensor4D {
    return tf.tidy(() => {
      const y = this.conv.forward(x);
      const normed = this.bn ? this.bn.forward(y, mode) : y;
      return this.relu ? tf.relu(normed) : normed;
    });
  }
}
