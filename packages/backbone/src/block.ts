import { Conv2d, dropout, dropPath, GroupNorm, gelu, type Mode, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { axialShift, type ShiftOptions } from './axial-shift.ts';
import type { AsMlpConfig } from './config.ts';

/** The mixer of a block: two 1×1 convolutions over axially shifted channels (paper, figure 2). */
export class AxialShift extends Module {
  private readonly conv1: Conv2d;
  private readonly horizontal: Conv2d;
  private readonly vertical: Conv2d;
  private readonly conv3: Conv2d;
  private readonly norm1: GroupNorm;
  private readonly norm2: GroupNorm;
  private readonly serial: boolean;
  private readonly shift: readonly [horizontal: ShiftOptions, vertical: ShiftOptions];

  constructor(channels: number, config: AsMlpConfig) {
    super();
    const pointwise = () => new Conv2d({ inChannels: channels, outChannels: channels, kernelSize: 1 });
    this.conv1 = this.add('conv1', pointwise());
    this.horizontal = this.add('conv2_1', pointwise());
    this.vertical = this.add('conv2_2', pointwise());
    this.conv3 = this.add('conv3', pointwise());
    this.norm1 = this.add('norm1', new GroupNorm(channels));
    this.norm2 = this.add('norm2', new GroupNorm(channels));
    const { shiftSize, shiftDilation: dilation, shiftPadding: padding } = config;
    const [horizontal, vertical] = typeof shiftSize === 'number' ? [shiftSize, shiftSize] : shiftSize;
    this.serial = config.shiftConnection === 'serial';
    this.shift = [
      { size: horizontal, dilation, padding },
      { size: vertical, dilation, padding },
    ];
  }

  /** `[B, H, W, C]` → `[B, H, W, C]`. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [horizontalShift, verticalShift] = this.shift;
    const h = gelu(this.norm1.forward(this.conv1.forward(x)));
    const horizontal = gelu(this.horizontal.forward(axialShift(h, 'width', horizontalShift)));
    const verticalInput = this.serial ? horizontal : h;
    const vertical = gelu(this.vertical.forward(axialShift(verticalInput, 'height', verticalShift)));
    const mixed = this.serial ? vertical : tf.add(horizontal, vertical);
    return this.conv3.forward(this.norm2.forward(mixed as tf.Tensor4D));
  }
}

/** The channel MLP of a block: 1×1 to `mlpRatio · C`, GELU, 1×1 back. */
export class Mlp extends Module {
  private readonly fc1: Conv2d;
  private readonly fc2: Conv2d;
  private readonly dropRate: number;

  constructor(channels: number, config: AsMlpConfig) {
    super();
    const hidden = Math.floor(channels * (config.mlpRatio ?? 4));
    this.fc1 = this.add('fc1', new Conv2d({ inChannels: channels, outChannels: hidden, kernelSize: 1 }));
    this.fc2 = this.add('fc2', new Conv2d({ inChannels: hidden, outChannels: channels, kernelSize: 1 }));
    this.dropRate = config.dropRate ?? 0;
  }

  /** `[B, H, W, C]` → `[B, H, W, C]`. */
  forward(x: tf.Tensor4D, mode: Mode): tf.Tensor4D {
    const hidden = dropout(gelu(this.fc1.forward(x)), this.dropRate, mode);
    return dropout(this.fc2.forward(hidden), this.dropRate, mode);
  }
}

/** One AS-MLP block: `x + shift(norm(x))`, then `x + mlp(norm(x))`, each residual under stochastic depth. */
export class Block extends Module {
  private readonly norm1: GroupNorm;
  private readonly mixer: AxialShift;
  private readonly norm2: GroupNorm;
  private readonly mlp: Mlp;
  readonly dropPathRate: number;

  constructor(channels: number, dropPathRate: number, config: AsMlpConfig) {
    super();
    this.norm1 = this.add('norm1', new GroupNorm(channels));
    this.mixer = this.add('axial_shift', new AxialShift(channels, config));
    this.norm2 = this.add('norm2', new GroupNorm(channels));
    this.mlp = this.add('mlp', new Mlp(channels, config));
    this.dropPathRate = dropPathRate;
  }

  /** `[B, H, W, C]` → `[B, H, W, C]`. */
  forward(x: tf.Tensor4D, mode: Mode): tf.Tensor4D {
    return tf.tidy(() => {
      const shifted = this.mixer.forward(this.norm1.forward(x));
      const y = tf.add(x, dropPath(shifted, this.dropPathRate, mode)) as tf.Tensor4D;
      const mixed = this.mlp.forward(this.norm2.forward(y), mode);
      return tf.add(y, dropPath(mixed, this.dropPathRate, mode)) as tf.Tensor4D;
    });
  }
}
