import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { type Argument, expectSame, float32 } from './models.fixture.ts';

/** Four calls whose sizes let no two rules be mistaken for each other. */
const MAPS = [float32(2, 5, 8, 3), float32(3, 7, 9, 3), float32(5, 12, 6, 3), float32(2, 16, 11, 3)];
const OTHER_MAPS = [float32(1, 9, 13, 3), float32(4, 6, 5, 3)];
const MATRICES = [float32(3, 4), float32(5, 4), float32(8, 4)];
const OTHER_MATRICES = [float32(1, 4), float32(11, 4)];

const maps = { traced: MAPS, others: OTHER_MAPS };
const matrices = { traced: MATRICES, others: OTHER_MATRICES };

await openEngine();

describe('the ONNX model of', () => {
  it('functions of one element', async () => {
    await expectSame((x) => {
      const positive = tf.add(tf.abs(x), 0.5);
      return [
        tf.exp(x),
        tf.log(positive),
        tf.sqrt(positive),
        tf.rsqrt(positive),
        tf.reciprocal(positive),
        tf.square(x),
        tf.neg(x),
        tf.abs(x),
        tf.erf(x),
        tf.relu(x),
        tf.relu6(x),
        tf.sigmoid(x),
        tf.tanh(x),
        tf.floor(x),
        tf.ceil(x),
      ];
    }, matrices);
  });

  it('functions of two elements, with broadcasting', async () => {
    const row = tf.tensor1d([1, -2, 0.5, 3]);
    await expectSame(
      (x) => [
        tf.add(x, row),
        tf.sub(row, x),
        tf.mul(x, row),
        tf.div(x, row),
        tf.maximum(x, 0.25),
        tf.minimum(x, row),
        tf.squaredDifference(x, row),
        tf.pow(tf.abs(x), row),
      ],
      matrices,
    );
  });

  it('comparisons and choices', async () => {
    await expectSame((x) => {
      const positive = tf.greater(x, 0);
      const large = tf.logicalOr(tf.greaterEqual(x, 1), tf.less(x, -1));
      return [
        tf.cast(positive, 'float32'),
        tf.logicalAnd(positive, large),
        tf.logicalNot(tf.lessEqual(x, 0.5)),
        tf.equal(tf.floor(x), tf.ones([1, 4])),
        tf.notEqual(tf.floor(x), tf.zeros([4])),
        tf.where(positive, x, tf.neg(x)),
        tf.cast(tf.mul(x, 3), 'int32'),
      ];
    }, matrices);
  });

  it('softmax and its logarithm', async () => {
    await expectSame((x) => [tf.softmax(x), tf.logSoftmax(x as tf.Tensor2D)], matrices);
  });

  it('reductions', async () => {
    await expectSame(
      (x) => [
        tf.mean(x, [1, 2]),
        tf.sum(x, -1, true),
        tf.max(x, [1, 2], true),
        tf.min(x, 3),
        tf.argMax(x, 3),
        tf.argMax(tf.reshape(x, [-1, 3]), 1),
        tf.sum(tf.cast(tf.greater(x, 0), 'int32'), [1, 2, 3]),
      ],
      maps,
    );
  });

  it('matrix products, with both transpositions', async () => {
    const right = tf.randomUniform([4, 6], -1, 1, 'float32', 1) as tf.Tensor2D;
    const turned = tf.randomUniform([6, 4], -1, 1, 'float32', 2) as tf.Tensor2D;
    await expectSame((x) => {
      const matrix = x as tf.Tensor2D;
      return [
        tf.matMul(matrix, right),
        tf.matMul(matrix, turned, false, true),
        tf.matMul(matrix, matrix, true, false),
        tf.matMul(matrix, matrix, false, true),
      ];
    }, matrices);
  });

  it('products of batches', async () => {
    await expectSame((x) => {
      const rows = tf.reshape(x, [x.shape[0]!, -1, 3]) as tf.Tensor3D;
      return tf.matMul(rows, rows, true, false);
    }, maps);
  });

  it('shapes', async () => {
    await expectSame((x) => {
      const [batch, height, width, channels] = x.shape as [number, number, number, number];
      return [
        tf.reshape(x, [batch, height * width, channels]),
        tf.reshape(x, [batch * height, width * channels]),
        tf.transpose(x, [0, 3, 1, 2]),
        tf.expandDims(x, -1),
        tf.squeeze(tf.slice(x, [0, 0, 0, 1], [-1, -1, -1, 1]), [3]),
        tf.tile(x, [1, 2, 1, 3]),
        tf.stack([x, tf.neg(x)], 1),
      ];
    }, maps);
  });

  it('padding and cutting by amounts that depend on the size', async () => {
    await expectSame((x) => {
      const [batch, height, width, channels] = x.shape as [number, number, number, number];
      const bottom = Math.ceil(height / 4) * 4 - height;
      const padded = tf.pad(
        x,
        [
          [0, 0],
          [0, bottom],
          [2, 1],
          [0, 0],
        ],
        0.5,
      );
      const half = Math.floor(height / 2);
      return [
        padded,
        tf.slice(x, [0, 1, 0, 0], [batch, half, width, channels]),
        tf.slice(x, [0, 0, 1, 2]),
        tf.stridedSlice(x, [0, 1, 0, 0], [batch, height, width, channels], [1, 2, 3, 1]),
        tf.stridedSlice(x, [0, 0, 0, -1], [0, 0, 0, 0], [1, 1, 1, 1], 7, 15, 0, 0, 8),
        tf.concat([x, tf.mul(x, 2)], 3),
      ];
    }, maps);
  });

  it('parts', async () => {
    await expectSame((x) => {
      const [first, second] = tf.split(x, [1, 2], 3);
      const thirds = tf.split(x, 3, 3);
      return [tf.concat([second!, first!], 3), thirds[1]!, ...tf.unstack(x, 3)];
    }, maps);
  });

  it('positions', async () => {
    const table = tf.randomUniform([4, 5], -1, 1, 'float32', 3);
    const indices: readonly Argument[][] = [3, 5, 7].map((size) => [{ shape: [size, 2], dtype: 'int32' }]);
    await expectSame(
      (x) => [
        tf.gather(table, x as tf.Tensor2D),
        tf.oneHot(tf.sub(x, tf.scalar(1, 'int32')) as tf.Tensor2D, 3),
        tf.add(x, tf.expandDims(tf.range(0, x.shape[0]!, 1, 'int32'), 1)),
      ],
      { traced: indices, others: [[{ shape: [1, 2], dtype: 'int32' }]] },
    );
    await expectSame((x) => {
      const { values, indices: places } = tf.topk(x, 2);
      return [values, places];
    }, matrices);
  });

  it('tensors filled in the size of an input', async () => {
    await expectSame((x) => {
      const shape = [x.shape[0]!, 2, 4];
      return tf.mul(tf.add(tf.fill(shape, 1.5), tf.ones(shape)), tf.expandDims(x, 1));
    }, matrices);
  });
});

describe('the ONNX model with windows', () => {
  const filter = tf.randomUniform([3, 3, 3, 4], -1, 1, 'float32', 4);

  it('convolves with every padding, stride and dilation', async () => {
    await expectSame((input) => {
      const x = input as tf.Tensor4D;
      const weights = filter as tf.Tensor4D;
      return [
        tf.conv2d(x, weights, 1, 'same'),
        tf.conv2d(x, weights, 1, 'valid'),
        tf.conv2d(x, weights, 2, 'same'),
        // The native engine takes no number.
        tf.conv2d(x, weights, 1, tf.getBackend() === 'tensorflow' ? 'same' : 1),
        tf.conv2d(x, weights, 1, 'same', 'NHWC', [2, 1]),
      ];
    }, maps);
  });

  it('convolves each channel alone', async () => {
    const own = tf.randomUniform([3, 1, 3, 2], -1, 1, 'float32', 5) as tf.Tensor4D;
    await expectSame((x) => tf.depthwiseConv2d(x as tf.Tensor4D, own, 1, 'same'), maps);
  });

  it('convolves upwards', async () => {
    const up = tf.randomUniform([2, 2, 4, 3], -1, 1, 'float32', 6) as tf.Tensor4D;
    await expectSame((x) => {
      const [batch, height, width] = x.shape as [number, number, number];
      return [
        tf.conv2dTranspose(x as tf.Tensor4D, up, [batch, 2 * height, 2 * width, 4], 2, 'valid'),
        tf.conv2dTranspose(x as tf.Tensor4D, up, [batch, 2 * height - 1, 2 * width, 4], 2, 'same'),
      ];
    }, maps);
  });

  it('pools', async () => {
    await expectSame((input) => {
      const x = input as tf.Tensor4D;
      return [
        tf.maxPool(x, 2, 2, 'same'),
        tf.maxPool(x, 3, 1, 'valid'),
        tf.avgPool(x, 2, 2, 'same'),
        tf.avgPool(x, [3, 2], 1, 'valid'),
      ];
    }, maps);
  });

  it('normalises by running statistics', async () => {
    const [mean, offset] = [tf.tensor1d([0.1, -0.2, 0.3]), tf.tensor1d([1, 2, 3])];
    const [variance, scale] = [tf.tensor1d([1, 2, 0.5]), tf.tensor1d([0.5, 1, -1])];
    await expectSame((input) => {
      const x = input as tf.Tensor4D;
      return [
        tf.batchNorm(x, mean, variance, offset, scale, 1e-5),
        tf.batchNorm(x, mean, variance, undefined, undefined, 1e-3),
      ];
    }, maps);
  });

  it('resizes', async () => {
    await expectSame((input) => {
      const x = input as tf.Tensor4D;
      const [, height, width] = x.shape;
      return [
        tf.image.resizeNearestNeighbor(x, [2 * height, 2 * width]),
        tf.image.resizeNearestNeighbor(x, [2 * height - 1, 3 * width], false, true),
        tf.image.resizeNearestNeighbor(x, [10, 7]),
        tf.image.resizeBilinear(x, [2 * height, 4 * width], false, true),
        tf.image.resizeBilinear(x, [11, 5], false, true),
        tf.image.resizeBilinear(x, [9, 2 * width], true),
      ];
    }, maps);
  });
});
