import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { trace } from './trace.ts';

describe.each(['native', 'wasm', 'cpu'] as const)('trace on the %s engine', (engine) => {
  let isThere = false;
  beforeAll(async () => {
    isThere = await openEngine({ engine }).then(
      () => true,
      () => false,
    );
  });

  it('writes down kernels, constants and variables', ({ skip }) => {
    if (!isThere) skip(`no ${engine} engine here`);
    const weight = tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2]));
    const x = tf.tensor2d([1, 1], [1, 2]);
    const found = trace(([input]) => tf.relu(tf.add(tf.matMul(input as tf.Tensor2D, weight), 0.5)), [x]);
    expect(found.kernels.map(({ name }) => name)).toEqual(['BatchMatMul', 'Add', 'Relu']);
    expect(found.captures[0]?.variable).toBe(weight);
    expect(found.captures[1]).toMatchObject({ data: Float32Array.of(0.5) });
    expect(found.values[found.outputs[0]!]).toEqual({ shape: [1, 2], dtype: 'float32' });
    tf.dispose([weight, x]);
  });

  it('writes down gradients', ({ skip }) => {
    if (!isThere) skip(`no ${engine} engine here`);
    const x = tf.tensor1d([1, 2]);
    const { kernels } = trace(([input]) => tf.grad((value) => tf.sum(tf.square(value)))(input!), [x]);
    expect(kernels.map(({ name }) => name)).toContain('Square');
    expect(kernels.map(({ name }) => name)).toContain('Multiply');
    x.dispose();
  });

  it('tells a reshaped tensor from the first', ({ skip }) => {
    if (!isThere) skip(`no ${engine} engine here`);
    const x = tf.tensor1d([1, 2, 3, 4]);
    const { kernels, inputs } = trace(
      ([input]) => tf.matMul(tf.reshape(input!, [2, 2]), tf.reshape(tf.neg(input!), [2, 2])),
      [x],
    );
    const product = kernels.at(-1)!;
    expect(product.inputs.a).not.toBe(inputs[0]);
    expect(product.inputs.a).not.toBe(product.inputs.b);
    x.dispose();
  });

  it('names the line that reads a value, and leaves everything as it was', ({ skip }) => {
    if (!isThere) skip(`no ${engine} engine here`);
    const x = tf.tensor1d([1, 2]);
    const before = tf.memory().numTensors;
    const read = () => trace(([input]) => tf.mul(input!, input!.dataSync()[0]!), [x]);
    expect(read).toThrow(/trace\.test\.ts:\d+:\d+.*reads the values of a tensor/);
    expect(tf.memory().numTensors).toBe(before);
    expect([...x.dataSync()]).toEqual([1, 2]);
    expect([...tf.neg(x).dataSync()]).toEqual([-1, -2]);
    x.dispose();
  });

  it('frees what the function makes', ({ skip }) => {
    if (!isThere) skip(`no ${engine} engine here`);
    const x = tf.tensor1d([1, 2]);
    const before = tf.memory().numTensors;
    trace(([input]) => tf.square(tf.neg(input!)), [x]);
    trace(([input]) => tf.keep(tf.neg(input!)), [x]);
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
  });
});
