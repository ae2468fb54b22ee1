import * as tf from '@tensorflow/tfjs-core';
import { mixAxes, type Size } from './resize.ts';

/**
 * Adaptive average pooling, `[N, H, W, C]` → `[N, height, width, C]`, as PyTorch's `adaptive_avg_pool2d`: bin i of s
 * averages the rows ⌊i·n/s⌋ … ⌈(i+1)·n/s⌉ − 1. Bins overlap when s does not divide n, and s may exceed n.
 * Two matrix products, so that values and gradients are exact.
 */
export function adaptiveAvgPool(x: tf.Tensor4D, { height, width }: Size): tf.Tensor4D {
  return tf.tidy(() => mixAxes(x, binWeights(x.shape[1], height), binWeights(x.shape[2], width)));
}

/** `[bins, size]` weights that average the elements of each bin. */
function binWeights(size: number, bins: number): tf.Tensor2D {
  const weights = new Float32Array(bins * size);
  for (let i = 0; i < bins; i++) {
    const start = Math.floor((i * size) / bins);
    const end = Math.ceil(((i + 1) * size) / bins);
    weights.fill(1 / (end - start), i * size + start, i * size + end);
  }
  return tf.tensor2d(weights, [bins, size]);
}
