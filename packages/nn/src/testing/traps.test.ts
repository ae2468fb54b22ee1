import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { abs, maximum } from '../elementwise.ts';
import { resizeBilinear } from '../resize.ts';
import { gradCheck } from './grad-check.ts';

// What docs/numerics.md lists as traps, so that we notice when the engine mends one. Each test here fails on that
// day: then the detour that it justifies can go.

const native = tf.getBackend() === 'tensorflow';
const map = () => tf.tensor4d([0.7, -1.1, 1.9, -0.4, 0.3, 2.2, -0.8, 1.4, -1.6], [1, 3, 3, 1]);
const gradientOf = (f: (x: tf.Tensor) => tf.Tensor, x: tf.Tensor, dy?: tf.Tensor) => [
  ...tf.grad(f)(x, dy).dataSync(),
];

describe('gradients that are silently wrong', () => {
  it('resizeBilinear with half-pixel centres', async () => {
    const dy = tf.reshape(tf.range(1, 37), [1, 6, 6, 1]);
    const engine = (x: tf.Tensor) => tf.image.resizeBilinear(x as tf.Tensor4D, [6, 6], false, true);
    const ours = (x: tf.Tensor) => resizeBilinear(x as tf.Tensor4D, { height: 6, width: 6 });
    expect([...engine(map()).dataSync()]).toEqual([...ours(map()).dataSync()]);
    // By hand: along an axis, input 0 has weights 1, ¾, ¼ in outputs 0, 1, 2, and dy is 6·row + column + 1. So the
    // first number is 4 + 6·2·(¾ + 2·¼) + 2·(¾ + 2·¼) = 21.5.
    expect(gradientOf(ours, map(), dy)).toEqual([21.5, 29, 36.5, 66.5, 74, 81.5, 111.5, 119, 126.5]);
    expect(gradientOf(engine, map(), dy)[0]).toBe(7.5);
    expect((await gradCheck(engine, [map()])).error).toBeGreaterThan(0.1);
  });

  it.each([
    ['reflect', 'reflect'],
    ['symmetric', 'symmetric'],
  ] as const)('mirrorPad, %s', async (_, mode) => {
    const pads: [number, number][] = [
      [1, 1],
      [2, 1],
    ];
    const f = (x: tf.Tensor) => tf.mirrorPad(tf.reshape(x, [3, 3]), pads, mode);
    expect((await gradCheck(f, [map()])).error).toBeGreaterThan(0.1);
  });

  it('resizeNearestNeighbor with half-pixel centres', async () => {
    const f = (x: tf.Tensor) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [5, 4], false, true);
    expect((await gradCheck(f, [map()])).error).toBeGreaterThan(0.1);
  });

  it('an array from split or unstack that is changed in place', () => {
    const weights = tf.tensor1d([10, 20, 30]);
    const reversed = (parts: tf.Tensor[]) => tf.mul(tf.concat(parts.reverse()), weights);
    const x = tf.tensor1d([1, 2, 3]);
    expect(gradientOf((input) => reversed([...tf.split(input, 3)]), x)).toEqual([30, 20, 10]);
    expect(gradientOf((input) => reversed(tf.split(input, 3)), x)).toEqual([10, 20, 30]);
  });

  it('where around a function that has no value on the other side', () => {
    const mask = tf.tensor1d([true, false]);
    const f = (x: tf.Tensor) => tf.where(mask, tf.sqrt(x), tf.zerosLike(x));
    expect(gradientOf(f, tf.tensor1d([4, 0]))).toEqual([0.25, Number.NaN]);
  });
});

describe('subgradients at kinks that differ from PyTorch', () => {
  it('abs at 0', () => {
    expect(gradientOf((x) => tf.abs(x), tf.tensor1d([0, 2]))).toEqual([-1, 1]);
    expect(gradientOf((x) => abs(x), tf.tensor1d([0, 2]))).toEqual([0, 1]);
  });

  it('maximum of equal elements', () => {
    const [a, b] = [tf.tensor1d([1]), tf.tensor1d([1])];
    expect(
      tf
        .grads((x, y) => tf.maximum(x!, y!))([a, b])
        .map((g) => g.dataSync()[0]),
    ).toEqual([1, 0]);
    expect(
      tf
        .grads((x, y) => maximum(x!, y!))([a, b])
        .map((g) => g.dataSync()[0]),
    ).toEqual([0.5, 0.5]);
  });
});

describe('gradients that throw', () => {
  const square = () => tf.reshape(tf.range(0, 16), [4, 4]);
  const image = (x: tf.Tensor) => tf.reshape(x, [1, 4, 4, 1]) as tf.Tensor4D;
  const kernel = tf.ones([3, 3, 1, 1]) as tf.Tensor4D;

  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['cropAndResize', (x) => tf.image.cropAndResize(image(x), [[0, 0, 1, 1]], [0], [2, 2])],
    ['stridedSlice', (x) => tf.stridedSlice(x, [0, 0], [4, 4], [2, 2])],
    ['einsum', (x) => tf.einsum('ij,jk->ik', x, x)],
    ['gatherND', (x) => tf.gatherND(x, tf.tensor2d([[0, 1]], [1, 2], 'int32'))],
    ['depthToSpace', (x) => tf.depthToSpace(tf.reshape(x, [1, 2, 2, 4]) as tf.Tensor4D, 2)],
    ['topk', (x) => tf.topk(x, 2).values],
    ['a comparison, also below a selection', (x) => tf.where(tf.greater(x, 3), x, tf.square(x))],
    ['dilated conv2d', (x) => tf.conv2d(image(x), kernel, 1, 'same', 'NHWC', 2)],
    ['maximum that broadcasts', (x) => tf.maximum(x, tf.ones([2, 1, 1]))],
  ])('%s', (_, f) => {
    expect(() => tf.tidy(() => void tf.grad(f)(square()))).toThrow(/gradient|dilation|not registered/i);
  });

  it.runIf(native)('numerically padded conv2d, on the native engine', () => {
    expect(() => tf.conv2d(image(square()), kernel, 1, 1)).toThrow(/padding/);
  });

  it.runIf(native)('batchNorm without scale and offset, on the native engine', () => {
    const normalize = (x: tf.Tensor) =>
      tf.batchNorm(image(x), tf.zeros([1]) as tf.Tensor1D, tf.ones([1]) as tf.Tensor1D);
    expect(() => tf.tidy(() => void tf.grad(normalize)(square()))).toThrow();
  });
});
