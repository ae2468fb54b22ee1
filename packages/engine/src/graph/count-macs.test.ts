import { createAsMlp, VARIANTS } from '@as-mlp/backbone';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { countMacs } from './count-macs.ts';

const products = (fn: (x: tf.Tensor4D) => tf.Tensor, shape: readonly number[] = [1, 8, 6, 4]) =>
  countMacs((x) => fn(x as tf.Tensor4D), [shape]).products;

describe('countMacs', () => {
  it('counts convolutions and products by hand', () => {
    expect(products((x) => tf.conv2d(x, tf.zeros([3, 3, 4, 5]), 2, 'same'))).toBe(4 * 3 * 5 * 9 * 4);
    expect(products((x) => tf.depthwiseConv2d(x, tf.zeros([3, 3, 4, 2]), 1, 'same'))).toBe(8 * 6 * 8 * 9);
    expect(products((x) => tf.matMul(tf.reshape(x, [48, 4]), tf.zeros([7, 4]), false, true))).toBe(
      48 * 4 * 7,
    );
    expect(products((x) => tf.add(tf.matMul(tf.reshape(x, [2, 12, 8]), tf.zeros([2, 8, 3])), 1))).toBe(
      2 * 12 * 8 * 3,
    );
    const transposed = (x: tf.Tensor4D) =>
      tf.conv2dTranspose(x, tf.zeros([2, 2, 9, 4]), [1, 16, 12, 9], 2, 'same');
    expect(products(transposed)).toBe(8 * 6 * 4 * 4 * 9);
    expect(products((x) => tf.relu(tf.add(x, 1)))).toBe(0);
  });

  it.each(['tiny', 'small', 'base', 'mobile', 'nano'] as const)(
    'follows as-mlp-%s at any size',
    (variant) => {
      const backbone = createAsMlp(variant, { out: 'final' }).initializeZeros();
      const before = tf.engine().state.numTensors;
      const { embedDim, depths } = VARIANTS[variant];
      for (const [height, width] of [
        [224, 224],
        [75, 1333],
      ] as const) {
        const wanted = { products: 0, norms: 0, shifts: 0 };
        let [rows, columns] = [Math.ceil(height / 4), Math.ceil(width / 4)];
        wanted.products += rows * columns * embedDim * 48;
        wanted.norms += rows * columns * embedDim;
        for (const [stage, depth] of depths.entries()) {
          const channels = embedDim * 2 ** stage;
          const elements = rows * columns * channels;
          // Four products in the shift; two in the MLP, four times as wide.
          wanted.products += depth * elements * channels * (4 + 2 * 4);
          wanted.norms += depth * elements * 4;
          wanted.shifts += depth * elements * 2;
          if (stage === 3) wanted.norms += elements;
          else {
            [rows, columns] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
            wanted.products += rows * columns * 4 * channels * 2 * channels;
            wanted.norms += rows * columns * 4 * channels;
          }
        }
        expect(countMacs((x) => backbone.forward(x as tf.Tensor4D)[0]!, [[1, height, width, 3]])).toEqual(
          wanted,
        );
      }
      backbone.dispose();
      expect(tf.engine().state.numTensors).toBe(before);
    },
  );
});
