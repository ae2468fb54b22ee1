import { createRng } from '@as-mlp/base';
import type { InputSpec, TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { encodeGraphDef } from '../graph-def.ts';
import { openGraphSession } from '../graph-session.ts';
import { findNative } from '../installed.ts';
import { recordProgram } from './compile.ts';
import { fuse } from './fuse-native.ts';
import { lowerToTensorFlow } from './lower.ts';
import type { Program } from './program.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

const rng = createRng(3);
const variables: tf.Variable[] = [];

function parameter(...shape: number[]): tf.Variable {
  const size = shape.reduce((a, b) => a * b, 1);
  const variable = tf.variable(tf.tensor(rng.normal(size), shape));
  variables.push(variable);
  return variable;
}

/** Group normalisation with one group, GELU, linear layers and shifts, written as the layers of the networks are. */
function groupNorm(x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor, epsilon = 1e-5): tf.Tensor {
  const [batch, ...rest] = x.shape as [number, ...number[]];
  const channels = rest.at(-1)!;
  const size = rest.reduce((a, b) => a * b, 1);
  const rows = tf.reshape(x, [batch, size]);
  const centred = tf.sub(rows, tf.mean(rows, 1, true));
  const row = tf.reshape(centred, [batch, 1, size]);
  const squares = tf.reshape(tf.matMul(row, row, false, true), [batch, 1]);
  const scale = tf.rsqrt(tf.add(tf.div(squares, size), epsilon));
  const slope = tf.expandDims(tf.mul(scale, tf.reshape(gain, [1, channels])), 1);
  const cells = tf.reshape(centred, [batch, size / channels, channels]);
  return tf.reshape(tf.add(tf.mul(cells, slope), bias), x.shape);
}

function gelu(x: tf.Tensor): tf.Tensor {
  const half = tf.mul(x, 0.5);
  return tf.add(half, tf.mul(half, tf.erf(tf.mul(x, Math.SQRT1_2))));
}

function pointwise(x: tf.Tensor, weight: tf.Tensor, bias?: tf.Tensor): tf.Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const columns = weight.shape.at(-1)!;
  const matrix = tf.reshape(weight, [-1, columns]) as tf.Tensor2D;
  const product = tf.matMul(tf.reshape(x, [batch * height * width, channels]) as tf.Tensor2D, matrix);
  return tf.reshape(bias ? tf.add(product, bias) : product, [batch, height, width, columns]);
}

/** Displacements −2, −1 and 0 for six channels. */
function shift(x: tf.Tensor, axis: 1 | 2): tf.Tensor {
  const taps = new Float32Array(5 * 6);
  for (let channel = 0; channel < 6; channel++) taps[(4 - Math.floor(channel / 2)) * 6 + channel] = 1;
  const filter = tf.tensor4d(taps, axis === 2 ? [1, 5, 6, 1] : [5, 1, 6, 1]);
  return tf.depthwiseConv2d(x as tf.Tensor4D, filter, 1, 'same');
}

/** A stem of 2×2 patches, one block and a head. */
function network(): TensorFunction {
  const norms = Array.from({ length: 5 }, () => [parameter(6), parameter(6)] as const);
  const norm = (x: tf.Tensor, i: number) => groupNorm(x, ...norms[i]!);
  const squares = Array.from({ length: 4 }, () => [parameter(1, 1, 6, 6), parameter(6)] as const);
  const [stem, stemBias] = [parameter(2, 2, 3, 6), parameter(6)];
  const [grow, growBias, fall, fallBias] = [
    parameter(1, 1, 6, 24),
    parameter(24),
    parameter(1, 1, 24, 6),
    parameter(6),
  ];
  const reduction = parameter(1, 1, 6, 5);
  const [head, headBias] = [parameter(5, 4), parameter(4)];
  return (images) => {
    const [batch, height, width] = images.shape as [number, number, number];
    const cells = tf.reshape(images, [(batch * height) / 2, 2, width / 2, 6]);
    const patches = tf.reshape(tf.transpose(cells, [0, 2, 1, 3]), [(batch * height * width) / 4, 12]);
    const embedded = tf.add(
      tf.matMul(patches as tf.Tensor2D, tf.reshape(stem, [-1, 6]) as tf.Tensor2D),
      stemBias,
    );
    const x = norm(tf.reshape(embedded, [batch, height / 2, width / 2, 6]), 0);
    const h = gelu(norm(pointwise(norm(x, 1), ...squares[0]!), 2));
    const horizontal = gelu(pointwise(shift(h, 2), ...squares[1]!));
    const vertical = gelu(pointwise(shift(h, 1), ...squares[2]!));
    const y = tf.add(x, pointwise(norm(tf.add(horizontal, vertical), 3), ...squares[3]!));
    const z = tf.add(y, pointwise(gelu(pointwise(norm(y, 4), grow, growBias)), fall, fallBias));
    const pooled = tf.mean(pointwise(z, reduction), [1, 2]) as tf.Tensor2D;
    return tf.add(tf.matMul(pooled, head as unknown as tf.Tensor2D), headBias);
  };
}

const names = (program: Program): string[] => program.kernels.map(({ name }) => name);
const fused = (fn: TensorFunction, ...shape: InputSpec['shape']) =>
  names(fuse(recordProgram((tensors) => fn(...tensors), [{ shape }])));

describe.skipIf(missing)('fuse', () => {
  beforeAll(async () => {
    await openEngine({ engine: 'native', device: 'cpu' });
  });
  afterAll(() => tf.dispose(variables));

  it('makes few kernels of a network', () => {
    const found = fused(network(), 'batch', 16, 24, 3);
    const linear = 'AsMlpLinear';
    expect(found.filter((name) => name !== 'Reshape' && name !== 'Transpose')).toEqual([
      ...[linear, 'AsMlpGroupNorm', 'AsMlpGroupNorm', linear, 'AsMlpGroupNorm'],
      ...['AsMlpShift', 'AsMlpShift', linear, linear, 'AsMlpGroupNorm', linear],
      ...['AsMlpGroupNorm', linear, linear, linear, 'Mean', linear],
    ]);
    expect(found.filter((name) => name === 'Reshape')).toHaveLength(3);
  });

  it.each<InputSpec['shape']>([
    ['batch', 8, 12, 3],
    [2, 8, 12, 3],
  ])('leaves the numbers as they are for inputs of [%s, %s, %s, %s]', async (...shape) => {
    const forward = network();
    const program = recordProgram((tensors) => forward(...tensors), [{ shape }]);
    const ends = { inputs: ['x'], outputs: ['y'] };
    const [plain, fast] = [{}, { fused: true }].map((options) =>
      openGraphSession(encodeGraphDef(lowerToTensorFlow(program, ends, options))),
    );
    for (const batch of shape[0] === 'batch' ? [1, 5, 2] : [2]) {
      const x = {
        name: 'x',
        dtype: 'float32',
        shape: [batch, 8, 12, 3],
        data: rng.normal(batch * 288),
      } as const;
      const [wanted] = await plain!.run([x], ['y']);
      const [got] = await fast!.run([x], ['y']);
      expect(got!.shape).toEqual(wanted!.shape);
      const size = Math.max(...(wanted!.data as Float32Array).map(Math.abs));
      (wanted!.data as Float32Array).forEach((value, i) => {
        expect(Math.abs(value - (got!.data[i] as number))).toBeLessThan(1e-5 * size);
      });
    }
    await Promise.all([plain!.close(), fast!.close()]);
  });

  it('fuses for inputs of any height and width', () => {
    const [gain, bias, weight] = [parameter(6), parameter(6), parameter(6, 6)];
    const found = fused(
      (x) => pointwise(gelu(groupNorm(x, gain, bias)), weight),
      'batch',
      'height',
      'width',
      6,
    );
    expect(found).toEqual(['AsMlpGroupNorm', 'AsMlpLinear']);
  });

  it('keeps what is used elsewhere', () => {
    const [weight, bias, gain] = [parameter(4, 4), parameter(4), parameter(4)];
    const product = (x: tf.Tensor) =>
      tf.add(tf.matMul(x as tf.Tensor2D, weight as unknown as tf.Tensor2D), bias);
    const both = (x: tf.Tensor) => [gelu(product(x)), product(x)];
    expect(fused(both, 'batch', 4)).toEqual(['AsMlpLinear', 'AsMlpLinear']);
    const shared = (x: tf.Tensor) => {
      const y = product(x);
      return [gelu(y), y];
    };
    expect(fused(shared, 'batch', 4)).toEqual(['AsMlpLinear', 'AsMlpGelu']);
    const twice = (x: tf.Tensor) => {
      const y = product(x);
      return tf.add(y, y);
    };
    expect(fused(twice, 'batch', 4)).toEqual(['AsMlpLinear', 'Add']);
    const normed = (x: tf.Tensor) => {
      const y = groupNorm(x, gain, bias);
      return [gelu(y), y];
    };
    expect(fused(normed, 'batch', 2, 3, 4)).toEqual(['AsMlpGroupNorm', 'AsMlpGelu']);
  });

  it.each<[string, TensorFunction, InputSpec['shape']]>([
    ['a product of two inputs', (x) => tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D), [4, 4]],
    ['a transposed weight', (x) => tf.matMul(x as tf.Tensor2D, tf.ones([5, 4]), false, true), ['batch', 4]],
    [
      'another scale than that of GELU',
      (x) => tf.add(tf.mul(x, 0.5), tf.mul(tf.mul(x, 0.5), tf.erf(x))),
      ['batch', 4],
    ],
    [
      'a convolution that adds',
      (x) => tf.depthwiseConv2d(x as tf.Tensor4D, tf.ones([1, 3, 6, 1]), 1, 'same'),
      ['batch', 4, 4, 6],
    ],
    [
      'a stride',
      (x) => tf.depthwiseConv2d(x as tf.Tensor4D, tf.ones([1, 1, 6, 1]), 2, 'same'),
      ['batch', 4, 4, 6],
    ],
  ])('leaves %s alone', (_name, fn, shape) => {
    expect(fused(fn, ...shape).filter((name) => name.startsWith('AsMlp'))).toEqual([]);
  });

  it('adds no residual of another shape', () => {
    const weight = parameter(4, 4) as unknown as tf.Tensor2D;
    const fn = (x: tf.Tensor) => tf.add(tf.matMul(x as tf.Tensor2D, weight), tf.mean(x, 0, true));
    expect(fused(fn, 'batch', 4)).toEqual(['AsMlpLinear', 'Mean', 'Add']);
  });
});
