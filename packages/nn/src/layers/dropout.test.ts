import { createRng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { INFERENCE } from '../mode.ts';
import { channelDropout } from './dropout.ts';

it('drops whole channels of a sample, and makes up for it', () => {
  tf.tidy(() => {
    const x = tf.ones([2, 3, 4, 50]) as tf.Tensor4D;
    expect(channelDropout(x, 0.4, INFERENCE)).toBe(x);
    const y = channelDropout(x, 0.4, { training: true, rng: createRng(1) });
    const values = y.dataSync();
    const kept = new Set<number>();
    for (const [i, value] of values.entries()) {
      const channel = Math.floor(i / 600) * 50 + (i % 50);
      // The first cell of each sample says what every other must be.
      expect(value).toBe(values[Math.floor(i / 600) * 600 + (i % 50)]);
      if (value > 0) kept.add(channel);
      expect([0, Math.fround(1 / 0.6)]).toContain(value);
    }
    expect(kept.size).toBeGreaterThan(45);
    expect(kept.size).toBeLessThan(75);
  });
});
