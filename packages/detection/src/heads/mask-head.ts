import {
  Conv2d,
  ConvTranspose2d,
  ConvUnit,
  constant,
  INFERENCE,
  kaimingNormal,
  type Mode,
  Module,
  ModuleList,
} from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { DetectionConfig } from '../config.ts';

/** Mask head: 3×3 convolutions, a transposed one that doubles the map, then a mask for each class. */
export class MaskHead extends Module {
  private readonly convs: ModuleList<ConvUnit>;
  private readonly upsample: ConvTranspose2d;
  private readonly logits: Conv2d;

  constructor({ channels, maskConvs, maskChannels, numClasses }: DetectionConfig) {
    super();
    const init = { weight: kaimingNormal(), bias: constant(0) };
    const inChannels = maskChannels;
    const convs = Array.from({ length: maskConvs }, (_, i) => {
      const from = i === 0 ? channels : maskChannels;
      return new ConvUnit({ inChannels: from, outChannels: maskChannels, kernelSize: 3, relu: true, init });
    });
    this.convs = this.add('convs', new ModuleList(convs));
    this.upsample = this.add(
      'upsample',
      new ConvTranspose2d({ inChannels, outChannels: maskChannels, kernelSize: 2, init }),
    );
    this.logits = this.add(
      'conv_logits',
      new Conv2d({ inChannels, outChannels: numClasses, kernelSize: 1, init }),
    );
  }

  /** `[N, 14, 14, C]` → logits `[N, 28, 28, K]`, N ≥ 1. */
  forward(x: tf.Tensor4D, mode: Mode = INFERENCE): tf.Tensor4D {
    return tf.tidy(() => {
      let map = x;
      for (const conv of this.convs.items) map = conv.forward(map, mode);
      return this.logits.forward(tf.relu(this.upsample.forward(map)));
    });
  }
}
