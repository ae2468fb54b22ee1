import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { golden } from '../golden.fixture.ts';
import { clipGradNorm, globalNorm } from './clip.ts';

const fixture = golden<{
  max_norm: number;
  grads: Record<string, number[]>[];
  steps: { float64: { total_norm: number; clip_coefficient: number }[] };
}>('recipe/adamw.json');

describe('clipGradNorm', () => {
  it.each(fixture.steps.float64.map((step, i) => ({ ...step, gradients: fixture.grads[i]! })))(
    'finds norm $total_norm and factor $clip_coefficient',
    ({ gradients, total_norm, clip_coefficient }) => {
      const before = tf.memory().numTensors;
      const tensors = Object.fromEntries(
        Object.entries(gradients).map(([name, data]) => [name, tf.tensor1d(data)]),
      );
      const { norm, scale } = clipGradNorm(tensors, fixture.max_norm);
      expect(Math.abs(norm - total_norm)).toBeLessThanOrEqual(3e-7 * total_norm);
      expect(Math.abs(scale - clip_coefficient)).toBeLessThanOrEqual(3e-7);
      tf.dispose(tensors);
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('tells gradients that are not finite', () => {
    expect(clipGradNorm({ x: tf.tensor1d([1, Number.NaN]) }, 5).norm).toBeNaN();
    expect(clipGradNorm({ x: tf.tensor1d([1, Number.POSITIVE_INFINITY]) }, 5).norm).toBe(
      Number.POSITIVE_INFINITY,
    );
  });
});

describe('globalNorm', () => {
  it('is exact to float32 over a million elements', () => {
    const tensors = [tf.fill([1000, 1000], 3), tf.fill([500], 2)];
    const norm = globalNorm(tensors).dataSync()[0]!;
    expect(norm / Math.sqrt(9e6 + 2000)).toBeCloseTo(1, 6);
    expect(globalNorm([]).dataSync()[0]).toBe(0);
  });
});
