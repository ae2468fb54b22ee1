import { createRng } from '@as-mlp/base';
import { resizeBilinear } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { convolveResized } from './resized-conv.ts';

const rng = createRng(5);
const random = (...shape: [number, number, number, number]) =>
  tf.tensor4d(rng.normal(shape.reduce((a, b) => a * b)), shape);

/** The definition: resize, lay side by side, convolve. */
function plain(
  [first, ...coarse]: readonly [tf.Tensor4D, ...tf.Tensor4D[]],
  kernel: tf.Tensor4D,
): tf.Tensor4D {
  const [, height, width] = first.shape;
  const resized = coarse.map((x) => resizeBilinear(x, { height, width }));
  return tf.conv2d(tf.concat([first, ...resized], 3), kernel, 1, 'same');
}

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
    const differentiate = (f: typeof plain) => {
      const of = (...all: tf.Tensor[]) =>
        f(all.slice(1) as [tf.Tensor4D, ...tf.Tensor4D[]], all[0] as tf.Tensor4D);
      return [f(maps, kernel), ...tf.grads(of)([kernel, ...maps], dy)];
    };
    const [actual, expected] = [differentiate(convolveResized), differentiate(plain)];
    for (const [i, value] of expected.entries()) {
      expect(actual[i]!.shape).toEqual(value.shape);
      expect(tf.max(tf.abs(tf.sub(actual[i]!, value))).dataSync()[0]).toBeLessThan(1e-4);
    }
  });
});
