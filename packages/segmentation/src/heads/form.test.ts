import { createRng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { DEFINED_FORM, FAST_FORM, type HeadForm } from './form.ts';

const rng = createRng(5);
const random = (...shape: [number, number, number, number]) =>
  tf.tensor4d(rng.normal(shape.reduce((a, b) => a * b)), shape);

it.each([
  [
    [16, 24],
    [8, 12],
    [4, 6],
  ],
  [
    [13, 9],
    [7, 5],
    [4, 3],
  ],
  [
    [5, 2],
    [6, 6],
    [1, 1],
  ],
  [
    [1, 1],
    [1, 1],
    [3, 3],
  ],
])('of %j and coarser maps is the convolution of the resized maps, with its gradients', (...sizes) => {
  tf.tidy(() => {
    const maps = sizes.map(([h, w], i) => random(2, h!, w!, 3 + i)) as [tf.Tensor4D, ...tf.Tensor4D[]];
    const kernel = random(3, 3, 12, 5);
    const dy = random(2, sizes[0]![0]!, sizes[0]![1]!, 5);
    const differentiate = (f: HeadForm['convolve']) => {
      const of = (...all: tf.Tensor[]) =>
        f(all.slice(1) as [tf.Tensor4D, ...tf.Tensor4D[]], all[0] as tf.Tensor4D);
      return [f(maps, kernel), ...tf.grads(of)([kernel, ...maps], dy)];
    };
    const [actual, expected] = [differentiate(FAST_FORM.convolve), differentiate(DEFINED_FORM.convolve)];
    for (const [i, value] of expected.entries()) {
      expect(actual[i]!.shape).toEqual(value.shape);
      expect(tf.max(tf.abs(tf.sub(actual[i]!, value))).dataSync()[0]).toBeLessThan(1e-4);
    }
  });
});

it.each([
  [4, 16, 6],
  [5, 7, 3],
  [2, 3, 6],
])('pooling of %d×%d to %d bins a side is the mean of each part', (height, width, bins) => {
  tf.tidy(() => {
    const x = random(2, height, width, 3);
    const [actual, expected] = [FAST_FORM.pool(x, bins), DEFINED_FORM.pool(x, bins)];
    expect(actual.shape).toEqual([2, bins, bins, 3]);
    expect(tf.max(tf.abs(tf.sub(actual, expected))).dataSync()[0]).toBeLessThan(1e-5);
  });
});
