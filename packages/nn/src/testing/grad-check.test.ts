import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { customGradient } from '../custom-gradient.ts';
import { gradCheck } from './grad-check.ts';

const cubes = (x: tf.Tensor, slope: number) =>
  customGradient([x], {
    value: () => tf.mul(tf.square(x), x),
    saved: [x],
    gradient: (dy, [input]) => [tf.mul(dy, tf.mul(tf.square(input!), slope))],
  });

describe('gradCheck', () => {
  const x = tf.tensor1d([0.5, -1, 2, 1.5]);

  it('passes a right gradient', async () => {
    const { error, probes } = await gradCheck((input) => cubes(input, 3), [x]);
    expect(error).toBeLessThan(1e-4);
    expect(probes).toHaveLength(4);
  });

  it.each([
    ['scaled by a tenth too much', (input: tf.Tensor) => cubes(input, 3.3)],
    ['zero', (input: tf.Tensor) => cubes(input, 0)],
    ['not a number', (input: tf.Tensor) => cubes(input, Number.NaN)],
  ])('catches a gradient that is %s', async (_, f) => {
    const { error } = await gradCheck(f, [x]);
    expect(error < 0.02).toBe(false);
  });

  it('catches a gradient in the wrong order', async () => {
    const permuted = (input: tf.Tensor) =>
      customGradient([input], {
        value: () => tf.mul(input, 2),
        saved: [],
        gradient: (dy) => [tf.mul(tf.reverse(dy), 2)],
      });
    expect((await gradCheck(permuted, [x])).error).toBeGreaterThan(0.1);
  });

  it('checks every input and leaves no tensors', async () => {
    const y = tf.tensor1d([3, 1, 2, 0.5]);
    const before = tf.memory().numTensors;
    expect((await gradCheck((a, b) => tf.mul(a, tf.exp(b)), [x, y])).error).toBeLessThan(1e-4);
    const half = (a: tf.Tensor, b: tf.Tensor) => tf.add(cubes(a, 3), cubes(b, 2));
    expect((await gradCheck(half, [x, y])).error).toBeGreaterThan(0.05);
    expect(tf.memory().numTensors).toBe(before);
  });
});
