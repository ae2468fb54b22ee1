import type * as tf from '@tensorflow/tfjs-core';
import { uniformFanIn } from '../init.ts';
import { Module } from '../module.ts';
import { Parameter, type ParameterSpec } from '../parameter.ts';
import { linear } from './conv.ts';

/** Shape of a fully connected layer. */
export interface LinearConfig {
  readonly inFeatures: number;
  readonly outFeatures: number;
  /** Initial weights and bias; PyTorch's default U(±1/√inFeatures) when left out. */
  readonly init?: { readonly weight: ParameterSpec['init']; readonly bias: ParameterSpec['init'] };
}

/** Fully connected layer on `[N, in]`, weight `[out, in]`. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor({ inFeatures, outFeatures, init }: LinearConfig) {
    super();
    const standard = uniformFanIn(inFeatures);
    this.weight = this.add(
      'weight',
      new Parameter({ shape: [outFeatures, inFeatures], layout: 'linear', init: init?.weight ?? standard }),
    );
    this.bias = this.add(
      'bias',
      new Parameter({ shape: [outFeatures], layout: 'plain', init: init?.bias ?? standard }),
    );
  }

  /** `[N, inFeatures]` → `[N, outFeatures]`. */
  forward(x: tf.Tensor2D): tf.Tensor2D {
    return linear(x, this.weight.value as unknown as tf.Tensor2D, this.bias.value);
  }
}
