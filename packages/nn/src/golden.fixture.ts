import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

/** A tensor as the golden files hold it: channels before rows, as PyTorch has them. */
export interface Nchw {
  readonly shape: [number, number, number, number];
  readonly data: number[];
}

/** The content of a file below `golden/`. */
export function golden<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../golden/${path}`, import.meta.url), 'utf8'));
}

/** `[N, H, W, C]`. */
export function nhwc({ data, shape }: Nchw): tf.Tensor4D {
  return tf.transpose(tf.tensor4d(data, shape), [0, 2, 3, 1]);
}

/** Every element within `tolerance`; the message names the first that is not. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const message = `element ${i}: ${actual[i]} for ${expected[i]}`;
    expect(Math.abs(actual[i]! - expected[i]!), message).toBeLessThanOrEqual(tolerance);
  }
}
