import * as tf from '@tensorflow/tfjs-core';
import { uniformFanIn } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter, type ParameterSpec } from '../parameter.ts';
import { linear } from './conv.ts';

/** Shape of a fully connected layer. */
export interface LinearConfig {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** `linear7x7`: the inputs are a flattened map of 7×7, whose official order of channels, rows, columns is translated. */
  readonly layout?: 'linear' | 'linear7x7';
  /** Initial weights and bias; PyTorch's default U(±1/√inFeatures) when left out. */
  readonly init?: { readonly weight: ParameterSpec['init']; readonly bias: ParameterSpec['init'] };
}

/** Fully connected layer on `[N, in]`, or on `[N, 7, 7, in / 49]`; weight `[out, in]`. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor({ inFeatures, outFeatures, layout = 'linear', init }: LinearConfig) {
    super();
    const standard = uniformFanIn(inFeatures);
    this.weight = this.add(
      'weight',
      new Parameter({ shape: [outFeatures, inFeatures], layout, init: init?.weight ?? standard }),
    );
    this.bias = this.add(
      'bias',
      new Parameter({ shape: [outFeatures], layout: 'plain', init: init?.bias ?? standard }),
    );
  }

  /** `[N, inFeatures]`, or the map that these flatten, → `[N, outFeatures]`. */
  forward(x: tf.Tensor): tf.Tensor2D {
    const [outFeatures, inFeatures] = this.weight.shape as [number, number];
    const rows = tf.reshape(x, [x.shape[0]!, inFeatures]) as tf.Tensor2D;
    const matrix = tf.reshape(this.weight.value, [inFeatures, outFeatures]) as tf.Tensor2D;
    return linear(rows, matrix, this.bias.value);
  }
}
