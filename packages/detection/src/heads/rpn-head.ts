import { Conv2d, constant, Module, normal } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';

/** Anchors at each cell, one for each aspect ratio. */
const ANCHORS = 3;

/** What a region proposal network says of each level. */
export interface RpnOutput {
  /** `[B, H, W, 3]`: objectness before the sigmoid, one for each anchor. */
  readonly logits: tf.Tensor4D;
  /** `[B, H, W, 12]`: dx, dy, dw, dh of one anchor after the other. */
  readonly deltas: tf.Tensor4D;
}

/** Region proposal network (Ren et al., 2015): one 3×3 convolution and two 1×1, shared by all levels. */
export class RpnHead extends Module {
  private readonly conv: Conv2d;
  private readonly cls: Conv2d;
  private readonly reg: Conv2d;

  constructor(inChannels: number, channels: number) {
    super();
    const init = { weight: normal({ std: 0.01 }), bias: constant(0) };
    const unit = (from: number, outChannels: number, kernelSize: number) =>
      new Conv2d({
        inChannels: from,
        outChannels,
        kernelSize,
        padding: (kernelSize - 1) / 2,
        init,
      });
    this.conv = this.add('rpn_conv', unit(inChannels, channels, 3));
    this.cls = this.add('rpn_cls', unit(channels, ANCHORS, 1));
    this.reg = this.add('rpn_reg', unit(channels, ANCHORS * 4, 1));
  }

  /** One level `[B, H, W, C]`. */
  forward(x: tf.Tensor4D): RpnOutput {
    const [logits, deltas] = tf.tidy(() => {
      const hidden = tf.relu(this.conv.forward(x));
      return [this.cls.forward(hidden), this.reg.forward(hidden)];
    }) as [tf.Tensor4D, tf.Tensor4D];
    return { logits, deltas };
  }
}
