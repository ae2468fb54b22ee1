import { type Mode, ModuleList } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { PixelHead, unit } from './pixel-head.ts';

/** The auxiliary head (Long et al., 2015): one 3×3 convolution of the stride 16 feature. It helps training only. */
export class FcnHead extends PixelHead {
  private readonly convs: ModuleList<ReturnType<typeof unit>>;

  constructor(inChannels: number, channels: number, numClasses: number) {
    super(channels, numClasses);
    this.convs = this.add('convs', new ModuleList([unit(inChannels, channels, 3)]));
  }

  /** `[B, H, W, inChannels]` → logits `[B, H, W, numClasses]`. */
  forward(feature: tf.Tensor4D, mode: Mode): tf.Tensor4D {
    return tf.tidy(() => this.classify(this.convs.items[0]!.forward(feature, mode), mode));
  }
}
