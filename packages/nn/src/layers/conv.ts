import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { uniformFanIn } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter, type ParameterSpec } from '../parameter.ts';

/** Shape of a convolution, in PyTorch's terms. */
export interface Conv2dConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  /** Side of the square kernel. */
  readonly kernelSize: number;
  readonly stride?: number;
  /** Zeros added on every side. */
  readonly padding?: number;
  readonly bias?: boolean;
  /** Initial weights and bias; PyTorch's default U(±1/√fan-in) when left out. */
  readonly init?: { readonly weight: ParameterSpec['init']; readonly bias: ParameterSpec['init'] };
}

/**
 * 2-D convolution on `[B, H, W, C]`, weights `[out, in, k, k]`, PyTorch's default initialisation.
 *
 * Kernels that do not overlap (1×1, or patches whose stride is the kernel) run as one matrix product, which is
 * faster and needs no convolution gradient from the engine.
 */
export class Conv2d extends Module {
  readonly config: Required<Omit<Conv2dConfig, 'init'>>;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor({ init, ...config }: Conv2dConfig) {
    super();
    const full = { stride: 1, padding: 0, bias: true, ...config };
    this.config = full;
    const { inChannels, outChannels, kernelSize } = full;
    const standard = uniformFanIn(inChannels * kernelSize * kernelSize);
    this.weight = this.add(
      'weight',
      new Parameter({
        shape: [outChannels, inChannels, kernelSize, kernelSize],
        layout: 'conv',
        init: init?.weight ?? standard,
      }),
    );
    this.bias = full.bias
      ? this.add(
          'bias',
          new Parameter({ shape: [outChannels], layout: 'plain', init: init?.bias ?? standard }),
        )
      : undefined;
  }

  /** `[B, H, W, inChannels]` → `[B, H', W', outChannels]`. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const { inChannels, outChannels, kernelSize, stride, padding } = this.config;
    if (x.shape[3] !== inChannels) {
      throw new AsMlpError('input', {
        what: `a convolution over ${inChannels} channels was given [${x.shape}]`,
        fix: 'Give [batch, height, width, channels]',
      });
    }
    if (kernelSize === stride && padding === 0) {
      const [batch, height, width] = x.shape;
      const rows = Math.floor(height / kernelSize);
      const columns = Math.floor(width / kernelSize);
      const inputs = kernelSize > 1 ? patches(x, kernelSize) : x;
      const weight = tf.reshape(this.weight.value, [-1, outChannels]);
      const y = linear(
        tf.reshape(inputs, [batch * rows * columns, weight.shape[0]!]),
        weight as tf.Tensor2D,
        this.bias?.value,
      );
      return tf.reshape(y, [batch, rows, columns, outChannels]);
    }
    // The gradient of a numerically padded conv2d throws: pad first, unless it is what "same" means.
    const isSame = stride === 1 && padding > 0 && kernelSize === 2 * padding + 1;
    const padded =
      padding && !isSame
        ? tf.pad(x, [
            [0, 0],
            [padding, padding],
            [padding, padding],
            [0, 0],
          ])
        : x;
    const y = tf.conv2d(
      padded,
      this.weight.value as unknown as tf.Tensor4D,
      stride,
      isSame ? 'same' : 'valid',
    );
    return this.bias ? tf.add(y, this.bias.value) : y;
  }
}

/** `[B, H, W, C]` → `[B·H/k, W/k, k, k·C]`; rows and columns that fill no patch are dropped, as a convolution does. */
function patches(x: tf.Tensor4D, k: number): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const rows = Math.floor(height / k);
  const columns = Math.floor(width / k);
  const isWhole = height % k === 0 && width % k === 0;
  const whole = isWhole ? x : tf.slice(x, [0, 0, 0, 0], [batch, rows * k, columns * k, channels]);
  return tf.transpose(tf.reshape(whole, [batch * rows, k, columns, k * channels]), [0, 2, 1, 3]);
}

/** `[N, in] · [in, out] + [out]`. Two kernels: on the native engine the fused one is slower. */
export function linear(x: tf.Tensor2D, weight: tf.Tensor2D, bias?: tf.Tensor): tf.Tensor2D {
  const product = tf.matMul(x, weight);
  return bias ? tf.add<tf.Tensor2D>(product, bias) : (product as tf.Tensor2D);
}
