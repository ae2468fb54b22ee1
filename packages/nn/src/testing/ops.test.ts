import { readFileSync } from 'node:fs';
import { createRng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { abs, clampMin, maximum, minimum } from '../elementwise.ts';
import { gelu } from '../layers/activation.ts';
import { groupNorm } from '../layers/norm.ts';
import { binaryCrossEntropyWithLogits, l1Loss, smoothL1Loss } from '../losses.ts';
import { crossEntropy } from '../losses-cross-entropy.ts';
import { giouLoss } from '../losses-giou.ts';
import { adaptiveAvgPool } from '../pool.ts';
import { resizeBilinear, resizeNearest } from '../resize.ts';
import { gradCheck } from './grad-check.ts';

/** Largest relative error of a right gradient. Wrong ones are off by 0.1 and more; right ones by some 1e-5. */
const TOLERANCE = 2e-4;

/** Short enough that no input below crosses a kink; the error of float32 grows as it shrinks. */
const STEP = 0.004;

interface Case {
  readonly inputs: tf.Tensor[];
  /** `never`, so that each function may name the rank of its own inputs. */
  readonly f: (...inputs: never[]) => tf.Tensor;
}

const rng = createRng(11);
/** Normal numbers. */
const random = (...shape: number[]) => tf.tensor(rng.normal(shape.reduce((a, b) => a * b, 1)), shape);
/** Normal numbers moved away from zero, where functions have kinks and poles. */
const awayFromZero = (...shape: number[]) => {
  const values = rng.normal(shape.reduce((a, b) => a * b, 1));
  return tf.tensor(
    values.map((x) => x + 0.3 * Math.sign(x)),
    shape,
  );
};
/** Positive numbers from 0.5 on. */
const positive = (...shape: number[]) => tf.add(tf.abs(random(...shape)), 0.5);
/** Distinct numbers in a scattered order, 0.25 apart, so that no maximum changes hands under a small step. */
const distinct = (...shape: number[]) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Array.from({ length: size }, (_, i) => (((i * 7) % size) - size / 2) * 0.25),
    shape,
  );
};
const int32 = (values: number[]) => tf.tensor1d(values, 'int32');

type T1 = tf.Tensor1D;
type T2 = tf.Tensor2D;
type T4 = tf.Tensor4D;

/** Boxes whose overlaps and hulls do not change their corners under a small step. */
const boxes = () => [
  tf.tensor2d([
    [1, 1, 4, 5],
    [2, 0.5, 6, 3],
    [0, 0, 2, 2],
  ]),
  tf.tensor2d([
    [2, 2.5, 5, 4],
    [1, 1, 4, 4],
    [3, 3, 5, 6],
  ]),
];

/** Every op that a loss goes through, under the name it has in docs/numerics.md. */
const OPS: Record<string, Case> = {
  add: { inputs: [random(2, 3, 4), random(4)], f: (a: T1, b: T1) => tf.add(a, b) },
  sub: { inputs: [random(2, 3, 4), random(3, 1)], f: (a: T1, b: T1) => tf.sub(a, b) },
  mul: { inputs: [random(2, 3, 4), random(1, 4)], f: (a: T1, b: T1) => tf.mul(a, b) },
  div: { inputs: [random(2, 3, 4), awayFromZero(3, 1)], f: (a: T1, b: T1) => tf.div(a, b) },
  addN: { inputs: [random(3), random(3)], f: (a: T1, b: T1) => tf.addN([a, b, a]) },
  matMul: { inputs: [random(5, 3), random(3, 4)], f: (a: T2, b: T2) => tf.matMul(a, b) },
  'matMul, batched': {
    inputs: [random(2, 5, 3), random(2, 4, 3)],
    f: (a: T2, b: T2) => tf.matMul(a, b, false, true),
  },
  conv2d: {
    inputs: [random(2, 6, 5, 3), random(3, 3, 3, 4)],
    f: (x: T4, w: T4) => tf.conv2d(x, w, 1, 'same'),
  },
  'conv2d, stride 2': {
    inputs: [random(1, 7, 7, 2), random(3, 3, 2, 3)],
    f: (x: T4, w: T4) => tf.conv2d(x, w, 2, 'valid'),
  },
  depthwiseConv2d: {
    inputs: [random(1, 6, 5, 3), random(3, 3, 3, 1)],
    f: (x: T4, w: T4) => tf.depthwiseConv2d(x, w, 1, 'same'),
  },
  'conv2dTranspose, 2×2 stride 2': {
    inputs: [random(2, 3, 4, 3), random(2, 2, 5, 3)],
    f: (x: T4, w: T4) => tf.conv2dTranspose(x, w, [2, 6, 8, 5], 2, 'valid'),
  },
  pad: {
    inputs: [random(2, 3, 4)],
    f: (x: T1) =>
      tf.pad(x, [
        [0, 0],
        [1, 2],
        [2, 0],
      ]),
  },
  slice: { inputs: [random(4, 5, 2)], f: (x: T1) => tf.slice(x, [1, 0, 1], [2, 4, 1]) },
  concat: { inputs: [random(2, 3), random(2, 1)], f: (a: T2, b: T2) => tf.concat([a, b], 1) },
  split: {
    inputs: [random(2, 6)],
    f: (x: T2) => {
      const [a, b, c] = tf.split(x, [1, 2, 3], 1);
      return tf.concat([c!, tf.square(b!), a!], 1);
    },
  },
  stack: { inputs: [random(2, 3), random(2, 3)], f: (a: T2, b: T2) => tf.stack([a, b], 1) },
  unstack: {
    inputs: [random(3, 2)],
    f: (x: T2) => {
      const [a, b, c] = tf.unstack(x);
      return tf.stack([c!, tf.square(a!), b!]);
    },
  },
  gather: { inputs: [random(4, 3)], f: (x: T2) => tf.gather(x, int32([3, 0, 3, 1])) },
  'gather, axis 1': { inputs: [random(2, 4, 2)], f: (x: T2) => tf.gather(x, int32([2, 0, 2]), 1) },
  unsortedSegmentSum: {
    inputs: [random(4, 3)],
    f: (x: T2) => tf.unsortedSegmentSum(x, int32([1, 0, 1, 2]), 3),
  },
  tile: { inputs: [random(2, 3)], f: (x: T2) => tf.tile(x, [2, 3]) },
  reshape: { inputs: [random(4, 3)], f: (x: T2) => tf.reshape(x, [2, 6]) },
  expandDims: { inputs: [random(4, 3)], f: (x: T2) => tf.expandDims(x, 1) },
  transpose: { inputs: [random(2, 3, 4)], f: (x: T2) => tf.transpose(x, [2, 0, 1]) },
  sum: { inputs: [random(2, 3, 4)], f: (x: T2) => tf.sum(x, [0, 2]) },
  mean: { inputs: [random(2, 3, 4)], f: (x: T2) => tf.mean(x, [1, 2], true) },
  max: { inputs: [distinct(4, 5)], f: (x: T2) => tf.max(x, 1) },
  moments: {
    inputs: [random(2, 3, 4)],
    f: (x: T2) => {
      const { mean, variance } = tf.moments(x, [0, 1]);
      return tf.stack([mean, variance]);
    },
  },
  'batchNorm, given statistics': {
    inputs: [random(2, 3, 3, 2), random(2), positive(2), random(2), random(2)],
    f: (x: T4, mean: T1, variance: T1, offset: T1, scale: T1) =>
      tf.batchNorm(x, mean, variance, offset, scale, 1e-5),
  },
  square: { inputs: [random(5)], f: (x: T1) => tf.square(x) },
  sqrt: { inputs: [positive(5)], f: (x: T1) => tf.sqrt(x) },
  rsqrt: { inputs: [positive(5)], f: (x: T1) => tf.rsqrt(x) },
  exp: { inputs: [random(5)], f: (x: T1) => tf.exp(x) },
  log: { inputs: [positive(5)], f: (x: T1) => tf.log(x) },
  log1p: { inputs: [positive(5)], f: (x: T1) => tf.log1p(x) },
  neg: { inputs: [random(5)], f: (x: T1) => tf.neg(x) },
  erf: { inputs: [random(9)], f: (x: T1) => tf.erf(x) },
  sigmoid: { inputs: [random(9)], f: (x: T1) => tf.sigmoid(x) },
  relu: { inputs: [awayFromZero(9)], f: (x: T1) => tf.relu(x) },
  softmax: { inputs: [random(3, 5)], f: (x: T2) => tf.softmax(x) },
  logSoftmax: { inputs: [random(3, 5)], f: (x: T2) => tf.logSoftmax(x) },
  where: {
    inputs: [random(4), random(4)],
    f: (a: T1, b: T1) => tf.where(tf.tensor1d([true, false, false, true]), a, b),
  },
  clipByValue: { inputs: [distinct(9)], f: (x: T1) => tf.clipByValue(x, -0.6, 0.6) },
  maxPool: { inputs: [distinct(1, 5, 6, 2)], f: (x: T4) => tf.maxPool(x, 2, 2, 'valid') },
  'maxPool, 1×1 stride 2': { inputs: [distinct(1, 5, 6, 2)], f: (x: T4) => tf.maxPool(x, 1, 2, 'valid') },
  avgPool: { inputs: [random(1, 5, 6, 2)], f: (x: T4) => tf.avgPool(x, 2, 2, 'valid') },
  abs: { inputs: [awayFromZero(9)], f: (x: T1) => abs(x) },
  maximum: { inputs: [awayFromZero(9), tf.zeros([9])], f: (a: T1, b: T1) => maximum(a, b) },
  minimum: { inputs: [awayFromZero(9), tf.zeros([9])], f: (a: T1, b: T1) => minimum(a, b) },
  clampMin: { inputs: [distinct(9)], f: (x: T1) => clampMin(x, 0.1) },
  gelu: { inputs: [random(20)], f: (x: T1) => gelu(x) },
  groupNorm: {
    inputs: [random(2, 3, 4, 5), random(5), random(5)],
    f: (x: T4, weight: T1, bias: T1) => groupNorm(x, weight, bias),
  },
  'resizeBilinear, power of two': {
    inputs: [random(1, 3, 4, 2)],
    f: (x: T4) => resizeBilinear(x, { height: 6, width: 16 }),
  },
  'resizeBilinear, any ratio': {
    inputs: [random(2, 5, 7, 2)],
    f: (x: T4) => resizeBilinear(x, { height: 8, width: 3 }),
  },
  resizeNearest: { inputs: [random(1, 3, 4, 2)], f: (x: T4) => resizeNearest(x, { height: 5, width: 8 }) },
  adaptiveAvgPool: {
    inputs: [random(2, 7, 5, 2)],
    f: (x: T4) => adaptiveAvgPool(x, { height: 3, width: 6 }),
  },
  'crossEntropy, labels': {
    inputs: [random(4, 5)],
    f: (x: T2) =>
      crossEntropy(x, int32([0, 4, 255, 2]), { ignoreIndex: 255, labelSmoothing: 0.1, reduction: 'none' }),
  },
  'crossEntropy, probabilities': {
    inputs: [random(2, 3)],
    f: (x: T2) => crossEntropy(x, tf.tensor2d([0.2, 0.5, 0.3, 0, 0.6, 0.1], [2, 3]), { reduction: 'none' }),
  },
  binaryCrossEntropyWithLogits: {
    inputs: [random(6)],
    f: (x: T1) => binaryCrossEntropyWithLogits(x, tf.tensor1d([0, 1, 0.3, 1, 0, 1]), { reduction: 'none' }),
  },
  l1Loss: {
    inputs: [awayFromZero(6), tf.zeros([6])],
    f: (x: T1, y: T1) => l1Loss(x, y, { reduction: 'none' }),
  },
  smoothL1Loss: {
    inputs: [distinct(9), tf.fill([9], 0.1)],
    f: (x: T1, y: T1) => smoothL1Loss(x, y, { beta: 0.5, reduction: 'none' }),
  },
  giouLoss: { inputs: boxes(), f: (a: T2, b: T2) => giouLoss(a, b, { reduction: 'none' }) },
};

describe('gradients of the ops in a loss', () => {
  it.each(Object.entries(OPS))('%s', async (_, { f, inputs }) => {
    const { error } = await gradCheck(f as (...inputs: tf.Tensor[]) => tf.Tensor, inputs, { step: STEP });
    expect(error).toBeLessThan(TOLERANCE);
  });

  it('are all in the table of docs/numerics.md', () => {
    const page = readFileSync(new URL('../../../../docs/numerics.md', import.meta.url), 'utf8');
    const table = page.slice(page.indexOf('## Checked gradients'), page.indexOf('## Traps'));
    const rows = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    expect(rows).toEqual(Object.keys(OPS));
  });
});
