import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from './engine.ts';

beforeAll(async () => {
  await openEngine({ engine: 'wasm' });
});

const values = (tensor: tf.Tensor) => Array.from(tensor.dataSync());

describe('kernels lent to wasm', () => {
  it('differentiates a convolution by its filter', () => {
    const image = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
    const filter = tf.ones([2, 2, 1, 1]) as tf.Tensor4D;
    const slope = tf.grad((w) => tf.sum(tf.conv2d(image, w as tf.Tensor4D, 1, 'valid')))(filter);
    // Each weight meets the four pixels of one corner of the image.
    expect(values(slope)).toEqual([12, 16, 24, 28]);
  });

  it('differentiates a depthwise convolution by both', () => {
    const image = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const filter = tf.tensor4d([1, 2], [1, 2, 1, 1]);
    const [byImage, byFilter] = tf.grads((x, w) =>
      tf.sum(tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'valid')),
    )([image, filter]);
    expect(values(byImage!)).toEqual([1, 2, 1, 2]);
    expect(values(byFilter!)).toEqual([4, 6]);
  });

  it('differentiates a gather', () => {
    const index = tf.tensor1d([0, 2, 0], 'int32');
    const slope = tf.grad((x) => tf.sum(tf.mul(tf.gather(x, index), tf.tensor1d([1, 10, 100]))))(
      tf.ones([3]),
    );
    expect(values(slope)).toEqual([101, 0, 10]);
  });

  it('differentiates a pooled maximum below zero', () => {
    const image = tf.tensor4d([-4, -1, -2, -3], [1, 2, 2, 1]);
    const slope = tf.grad((x) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid'))(image);
    expect(values(slope)).toEqual([0, 1, 0, 0]);
  });

  it('writes one-hot rows in the type that was asked for', () => {
    const labels = tf.tensor1d([0, 2], 'int32');
    expect(values(tf.oneHot(labels, 3, 1, 0, 'float32'))).toEqual([1, 0, 0, 0, 0, 1]);
    expect(values(tf.oneHot(labels, 3))).toEqual([1, 0, 0, 0, 0, 1]);
  });

  it('casts to bool as 0 and 1', () => {
    expect(values(tf.cast(tf.tensor1d([0, 2.5, -1]), 'bool'))).toEqual([0, 1, 1]);
    expect(values(tf.cast(tf.tensor1d([1.5, -1.5]), 'int32'))).toEqual([1, -1]);
  });

  it('sums nothing to zero, whatever the memory held', () => {
    const dirty = tf.fill([64], 7);
    dirty.dispose();
    expect(values(tf.sum(tf.tensor1d([])))).toEqual([0]);
    expect(values(tf.sum(tf.zeros([2, 0]), 1))).toEqual([0, 0]);
    expect(values(tf.sum(tf.tensor1d([1, 2])))).toEqual([3]);
  });

  it('leaves no tensor behind', () => {
    const filter = tf.ones([2, 2, 1, 1]) as tf.Tensor4D;
    const image = tf.ones([1, 3, 3, 1]) as tf.Tensor4D;
    const step = () =>
      tf.tidy(() =>
        tf
          .grad((w) => tf.sum(tf.conv2d(image, w as tf.Tensor4D, 1, 'valid')))(filter)
          .dataSync(),
      );
    step();
    const before = [tf.memory().numTensors, tf.memory().numDataBuffers, dataIds()];
    step();
    step();
    expect([tf.memory().numTensors, tf.memory().numDataBuffers, dataIds()]).toEqual(before);
  });
});

/** Values that the two backends hold, tracked by the engine or not. */
function dataIds(): number[] {
  return ['wasm', 'cpu'].map((name) => tf.findBackend(name).numDataIds());
}
