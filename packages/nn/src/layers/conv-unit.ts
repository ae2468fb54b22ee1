import * as tf from '@tensorflow/tfjs-core';
import type { Mode } from '../mode.ts';
import { Module } from '../module.ts';
import { Conv2d, type Conv2dConfig } from './conv.ts';
import { BatchNorm } from './norm.ts';

/** Shape of a {@link ConvUnit}. */
export interface ConvUnitConfig extends Omit<Conv2dConfig, 'padding' | 'bias'> {
  /** Batch norm in place of the bias. */
  readonly norm?: boolean;
  readonly relu?: boolean;
}

/**
 * Convolution of an odd kernel that keeps the size, then batch norm if asked for, then ReLU if asked for; keys `conv.*` and
 * `bn.*`, as mmcv's `ConvModule`, of which the official heads are made.
 */
export class ConvUnit extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm | undefined;
  private readonly relu: boolean;

  constructor({ norm = false, relu = false, ...config }: ConvUnitConfig) {
    super();
    const padding = (config.kernelSize - 1) / 2;
    this.conv = this.add('conv', new Conv2d({ ...config, padding, bias: !norm }));
    this.bn = norm ? this.add('bn', new BatchNorm(config.outChannels)) : undefined;
    this.relu = relu;
  }

  /** `[B, H, W, inChannels]` → `[B, H, W, outChannels]`. */
  forward(x: tf.Tensor4D, mode: Mode): tf.Tensor4D {
    return tf.tidy(() => this.finish(this.conv.forward(x), mode));
  }

  /** What follows the convolution, for callers that compute it in another way. */
  finish(y: tf.Tensor4D, mode: Mode): tf.Tensor4D {
    return tf.tidy(() => {
      const normed = this.bn ? this.bn.forward(y, mode) : y;
      return this.relu ? tf.relu(normed) : normed;
    });
  }
}
