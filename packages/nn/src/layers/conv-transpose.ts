import * as tf from '@tensorflow/tfjs-core';
import { uniformFanIn } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter, type ParameterSpec } from '../parameter.ts';

/** Shape of a transposed convolution whose windows do not overlap. */
export interface ConvTranspose2dConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Side of the square kernel, and the stride: the map becomes so many times larger. */
  readonly kernelSize: number;
  /** Initial weights and bias; PyTorch's default U(±1/√fan-in) when left out. */
  readonly init?: { readonly weight: ParameterSpec['init']; readonly bias: ParameterSpec['init'] };
}

/**
 * Transposed 2-D convolution with stride = kernel on `[B, H, W, C]` (PyTorch's `ConvTranspose2d(in, out, k, stride=k)`),
 * weight `[in, out, k, k]`: each cell becomes its own k×k cells, so that it is one matrix product.
 */
export class ConvTranspose2d extends Module {
  readonly config: Omit<ConvTranspose2dConfig, 'init'>;
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor({ init, ...config }: ConvTranspose2dConfig) {
    super();
    this.config = config;
    const { inChannels, outChannels, kernelSize } = config;
    // PyTorch counts the fan-in of a transposed convolution from its output channels.
    const standard = uniformFanIn(outChannels * kernelSize * kernelSize);
    const shape = [inChannels, outChannels, kernelSize, kernelSize];
    this.weight = this.add(
      'weight',
      new Parameter({ shape, layout: 'convTranspose', init: init?.weight ?? standard }),
    );
    this.bias = this.add(
      'bias',
      new Parameter({ shape: [outChannels], layout: 'plain', init: init?.bias ?? standard }),
    );
  }

  /** `[B, H, W, inChannels]` → `[B, k·H, k·W, outChannels]`. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const { inChannels, outChannels, kernelSize: k } = this.config;
    const [batch, height, width] = x.shape;
    return tf.tidy(() => {
      const cells = tf.reshape(x, [batch * height * width, inChannels]) as tf.Tensor2D;
      const weight = tf.reshape(this.weight.value, [k * k * outChannels, inChannels]) as tf.Tensor2D;
      const product = tf.matMul(cells, weight, false, true);
      const split = tf.reshape(product, [batch * height, width, k, k * outChannels]);
      const grown = tf.reshape(tf.transpose(split, [0, 2, 1, 3]), [
        batch,
        height * k,
        width * k,
        outChannels,
      ]) as tf.Tensor4D;
      return tf.add(grown, this.bias.value) as tf.Tensor4D;
    });
  }
}
