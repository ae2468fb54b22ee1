import * as tf from '@tensorflow/tfjs-core';
import { mixColumns, mixRows, type Size } from './resize.ts';

/**
 * Adaptive average pooling, `[N, H, W, C]` → `[N, height, width, C]`, as PyTorch's `adaptive_avg_pool2d`: bin i of s
 * averages the rows ⌊i·n/s⌋ … ⌈(i+1)·n/s⌉ − 1. Bins overlap when s does not divide n, and s may exceed n.
 * Two matrix products, so that values and gradients are exact, and one path for maps of every size.
 */
export function adaptiveAvgPool(x: tf.Tensor4D, { height, width }: Size): tf.Tensor4D {
  return tf.tidy(() => mixColumns(mixRows(x, binWeights(x.shape[1], height)), binWeights(x.shape[2], width)));
}

/**
 * `[bins, size]` weights that average the elements of each bin. They are computed by tensor operations, so that a compiled
 * function can follow the size; the half keeps quotients away from the whole numbers that they are rounded to.
 */
function binWeights(size: number, bins: number): tf.Tensor2D {
  const index = tf.reshape(tf.range(0, bins), [bins, 1]);
  const start = tf.floor(tf.div(tf.add(tf.mul(index, size), 0.5), bins));
  const end = tf.floor(tf.div(tf.add(tf.mul(tf.add(index, 1), size), bins - 0.5), bins));
  const element = tf.reshape(tf.range(0, size), [1, size]);
  const isInside = tf.logicalAnd(tf.greaterEqual(element, start), tf.less(element, end));
  return tf.div(tf.cast(isInside, 'float32'), tf.sub(end, start));
}
