import type { TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { joinReshapes } from './join-reshapes.ts';
import { float32, programOf } from './models.fixture.ts';

await openEngine();

const names = (fn: TensorFunction) =>
  joinReshapes(programOf(fn, [float32(2, 5, 8, 4), float32(3, 7, 9, 4)])).kernels.map(({ name }) => name);

describe('joinReshapes', () => {
  it('makes one of several, and none of those that lead back', () => {
    const twice = (x: tf.Tensor) => tf.reshape(tf.reshape(tf.relu(x), [-1, 4]), [-1]);
    expect(names(twice)).toEqual(['Relu', 'Reshape']);
    const back = (x: tf.Tensor) => tf.reshape(tf.reshape(tf.relu(x), [-1, 4]), x.shape);
    expect(names(back)).toEqual(['Relu']);
  });
});
