import { createRng } from '@as-mlp/base';
import { Conv2d, GroupNorm, gelu, type TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import type { Program } from '../graph/program.ts';
import { encodeOnnx, type OnnxOptions } from './encode.ts';
import { expectSame, float32, programOf } from './models.fixture.ts';
import { openOnnxSession } from './session.ts';

await openEngine();

const CALLS = [float32(2, 5, 8, 4), float32(3, 7, 9, 4), float32(5, 12, 6, 4), float32(2, 16, 11, 4)];
const OPTIONS: OnnxOptions = { inputs: [{ name: 'images' }], outputs: ['logits'] };

const encode = (fn: TensorFunction, options = OPTIONS) => encodeOnnx(programOf(fn, CALLS), options);
/** Names and texts stand in the file as they are. */
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

describe('encodeOnnx', () => {
  it('names inputs, outputs, axes and variables, and carries metadata', async () => {
    const weight = tf.variable(tf.ones([4]), true, 'gain');
    const bytes = encode((x) => tf.mul(x, weight), {
      ...OPTIONS,
      inputs: [{ name: 'images', axes: ['batch', 'height', 'width', 'channels'] }],
      metadata: { 'shift size': '5' },
      nameOf: (variable) => (variable === weight ? 'norm.weight' : undefined),
    });
    for (const text of ['as-mlp', 'batch', 'height', 'width', 'norm.weight', 'shift size']) {
      expect(textOf(bytes)).toContain(text);
    }
    const session = await openOnnxSession(bytes, { threads: 1 });
    expect([session.inputs, session.outputs]).toEqual([['images'], ['logits']]);
    await session.dispose();
    weight.dispose();
  });

  it('takes the values that variables have when it is called', async () => {
    const weight = tf.variable(tf.scalar(2));
    const program = programOf((x) => tf.mul(x, weight), CALLS);
    weight.assign(tf.scalar(3));
    const session = await openOnnxSession(encodeOnnx(program, OPTIONS), { threads: 1 });
    const data = new Float32Array(8).fill(1);
    const { logits } = await session.run({ images: { dtype: 'float32', shape: [1, 1, 2, 4], data } });
    expect([...logits!.data]).toEqual(new Array(8).fill(3));
    await session.dispose();
    weight.dispose();
  });

  it('gives out inputs, and one value under two names', async () => {
    await expectSame((x) => [x, tf.relu(x), tf.relu(x)], { traced: CALLS });
    const value = (x: tf.Tensor) => {
      const y = tf.relu(x);
      return [y, y];
    };
    await expectSame(value, { traced: CALLS });
  });

  it('folds the gain of a norm into one linear layer, and not where others need it', async () => {
    const norm = new GroupNorm(4);
    const linear = new Conv2d({ inChannels: 4, outChannels: 6, kernelSize: 1 });
    const rng = createRng(1);
    for (const module of [norm, linear]) module.initialize(rng);
    norm.weight.value.assign(tf.tensor1d([0.5, 1, 2, -1]));
    norm.bias.value.assign(tf.tensor1d([1, 2, 3, 4]));
    const others = [float32(1, 9, 13, 4), float32(4, 6, 5, 4)];
    const alone = (x: tf.Tensor) => linear.forward(norm.forward(x as tf.Tensor4D));
    await expectSame(alone, { traced: CALLS, others });
    const shared = (x: tf.Tensor) => {
      const normalized = norm.forward(x as tf.Tensor4D);
      return [gelu(linear.forward(normalized)), normalized];
    };
    await expectSame(shared, { traced: CALLS, others });
    // A gain that is folded is no longer in the file by itself.
    const nameOf = (variable: tf.Variable) => (variable === norm.weight.value ? 'the gain' : undefined);
    const hasGain = (fn: TensorFunction, outputs: string[]) =>
      textOf(encode(fn, { ...OPTIONS, outputs, nameOf })).includes('the gain');
    expect([hasGain(alone, ['a']), hasGain(shared, ['a', 'b'])]).toEqual([false, true]);
  });

  it('names a kernel that ONNX does not have', () => {
    expect(() => encode((x) => tf.cumsum(x))).toThrow(
      'the kernel Cumsum cannot be written as ONNX. Compute it with other operations',
    );
    const drawn = { ...programOf((x) => tf.relu(x), CALLS), draws: [0] };
    expect(() => encodeOnnx(drawn, OPTIONS)).toThrow(
      'a function that draws random numbers cannot be written',
    );
    expect(() => encode((x) => tf.maxPool(x as tf.Tensor4D, 2, 1, 0, 'ceil'))).toThrow(
      'MaxPool that rounds sizes up',
    );
  });

  it.each([
    { inputs: [], outputs: ['logits'] },
    { inputs: [{ name: 'images' }], outputs: ['a', 'b'] },
    { inputs: [{ name: 'same' }], outputs: ['same'] },
    { inputs: [{ name: '' }], outputs: ['logits'] },
  ])('refuses the names %j', (options) => {
    expect(() => encode((x) => tf.relu(x), options)).toThrow(/do not fit 1 inputs and 1 outputs/);
  });

  it('refuses more than 2 GB', () => {
    // Memory that is never touched takes no room.
    const data = new Float32Array(2 ** 28);
    const shape = [data.length];
    const program: Program = {
      values: Array.from({ length: 5 }, () => ({ shape, dtype: 'float32' })),
      inputs: [],
      draws: [],
      constants: [0, 1].map((id) => ({ kind: 'data', id, data })),
      kernels: [{ name: 'Add', inputs: { a: 0, b: 1 }, attrs: {}, outputs: [2] }],
      outputs: [2],
      assigned: [],
    };
    expect(() => encodeOnnx(program, { inputs: [], outputs: ['sum'] })).toThrow(/would have 2\.1 GB/);
  });
});
