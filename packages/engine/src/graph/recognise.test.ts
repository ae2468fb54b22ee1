import { axialShift } from '@as-mlp/backbone';
import { createRng } from '@as-mlp/base';
import { Conv2d, GroupNorm, gelu, type TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { float32, programOf } from '../onnx/models.fixture.ts';
import { recogniseLayers } from './recognise.ts';

await openEngine();

const CALLS = [float32(2, 5, 8, 4), float32(3, 7, 9, 4), float32(5, 12, 6, 4)];
const ROWS = [float32(2, 4), float32(3, 4), float32(5, 4)];

const recognise = (fn: TensorFunction, calls = CALLS) => recogniseLayers(programOf(fn, calls));
const names = (fn: TensorFunction, calls = CALLS) => recognise(fn, calls).kernels.map(({ name }) => name);

function pointwise(bias: boolean): Conv2d {
  return new Conv2d({ inChannels: 4, outChannels: 6, kernelSize: 1, bias }).initialize(createRng(0));
}

describe('recogniseLayers', () => {
  it('finds GELU', () => {
    expect(names((x) => tf.relu(gelu(x)))).toEqual(['Gelu', 'Relu']);
  });

  it('finds norms of a map, between other layers', () => {
    const norm = new GroupNorm(4).initialize(createRng(0));
    const program = recognise((x) => gelu(norm.forward(tf.relu(x) as tf.Tensor4D)));
    expect(program.kernels.map(({ name }) => name)).toEqual(['Relu', 'GroupNorm', 'Gelu']);
    const [, found] = program.kernels;
    expect(found!.attrs.epsilon).toBeCloseTo(1e-5, 9);
    const variables = program.constants.map((constant) => constant.kind === 'variable' && constant.variable);
    expect(variables).toEqual([norm.weight.value, norm.bias.value]);
    expect([found!.inputs.weight, found!.inputs.bias]).toEqual(program.constants.map(({ id }) => id));
  });

  it.each([
    ['height', 1],
    ['width', 2],
  ] as const)('finds shifts along the %s, with the groups that move alike', (side, axis) => {
    const [found, ...others] = recognise((x) => axialShift(x as tf.Tensor4D, side, { size: 3 })).kernels;
    const attrs = { axis, ends: [2, 4], displacements: [-1, 0] };
    expect([found!.name, found!.attrs, others]).toEqual(['AxialShift', attrs, []]);
  });

  it('finds linear layers of maps and of rows, with the weights of a convolution as a matrix', () => {
    for (const bias of [true, false]) {
      const layer = pointwise(bias);
      const program = recognise((x) => layer.forward(x as tf.Tensor4D));
      const [found, ...others] = program.kernels;
      expect([found!.name, Object.keys(found!.inputs), others]).toEqual([
        'Linear',
        bias ? ['x', 'weight', 'bias'] : ['x', 'weight'],
        [],
      ]);
      expect(found!.inputs.x).toBe(program.inputs[0]);
      expect(program.values[found!.inputs.weight as number]!.shape).toEqual([4, 6]);
    }
    const weight = tf.ones([4, 3]) as tf.Tensor2D;
    expect(names((x) => tf.add(tf.matMul(x as tf.Tensor2D, weight), [1, 2, 3]), ROWS)).toEqual(['Linear']);
  });

  it('leaves a product without its bias, or as rows, where others need that', () => {
    const weight = tf.ones([4, 3]) as tf.Tensor2D;
    const shared = (x: tf.Tensor) => {
      const product = tf.matMul(x as tf.Tensor2D, weight);
      return [tf.add(product, [1, 2, 3]), product];
    };
    expect(names(shared, ROWS)).toEqual(['Linear', 'Add']);
    const rows = (x: tf.Tensor) => {
      const product = tf.matMul(tf.reshape(x, [-1, 4]) as tf.Tensor2D, weight);
      return [tf.reshape(product, [...x.shape.slice(0, 3), 3]), product];
    };
    expect(names(rows)).toEqual(['Reshape', 'Linear', 'Reshape']);
  });

  it('finds the gradients of GELU and of norms', () => {
    const norm = new GroupNorm(4).initialize(createRng(0));
    const gradients = (x: tf.Tensor) => {
      const loss = (input: tf.Tensor) => tf.sum(tf.square(gelu(norm.forward(input as tf.Tensor4D))));
      const { weight, bias } = norm;
      return tf.grads((input, ..._others) => loss(input!))([x, weight.value, bias.value]);
    };
    const found = recognise(gradients).kernels.map(({ name }) => name);
    expect(found.filter((name) => name.endsWith('Gradient'))).toEqual(['GeluGradient', 'GroupNormGradient']);
    for (const name of ['Erf', 'Exp', 'Rsqrt', 'Mean', 'Sub']) expect(found).not.toContain(name);
  });

  it.each<[string, TensorFunction, typeof CALLS]>([
    ['a product of two inputs', (x) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), [float32(4, 4)]],
    ['a transposed weight', (x) => tf.matMul(x as tf.Tensor2D, tf.ones([5, 4]), false, true), ROWS],
    [
      'another scale than that of GELU',
      (x) => tf.add(tf.mul(x, 0.5), tf.mul(tf.mul(x, 0.5), tf.erf(tf.mul(x, 0.7)))),
      CALLS,
    ],
    [
      'a norm over single channels',
      (x) => {
        const centred = tf.sub(x, tf.mean(x, 3, true));
        return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), 3, true), 1e-5)));
      },
      CALLS,
    ],
    [
      'a convolution that adds',
      (x) => tf.depthwiseConv2d(x as tf.Tensor4D, tf.ones([1, 3, 4, 1]), 1, 'same'),
      CALLS,
    ],
    ['a stride', (x) => tf.depthwiseConv2d(x as tf.Tensor4D, tf.ones([1, 1, 4, 1]), 2, 'same'), CALLS],
  ])('leaves %s alone', (_name, fn, calls) => {
    const layers = ['Gelu', 'GroupNorm', 'AxialShift', 'Linear'];
    expect(names(fn, calls).filter((name) => layers.includes(name))).toEqual([]);
  });
});
