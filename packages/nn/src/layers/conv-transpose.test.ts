import { createRng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, it } from 'vitest';
import { ConvTranspose2d } from './conv-transpose.ts';

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

it('spreads each cell over its own cells, as PyTorch does', () => {
  const layer = new ConvTranspose2d({ inChannels: 2, outChannels: 1, kernelSize: 2 }).initialize(
    createRng(0),
  );
  // official [in, out, kh, kw]: input 0 spreads 1 2 / 3 4, input 1 spreads 10 20 / 30 40
  layer.weight.assign(Float32Array.of(1, 2, 3, 4, 10, 20, 30, 40));
  layer.bias.assign(Float32Array.of(0.5));
  tf.tidy(() => {
    const x = tf.tensor4d([1, 0, 0, 1], [1, 1, 2, 2]);
    const y = layer.forward(x);
    expect(y.shape).toEqual([1, 2, 4, 1]);
    expect([...y.dataSync()]).toEqual([1.5, 2.5, 10.5, 20.5, 3.5, 4.5, 30.5, 40.5]);
  });
  layer.dispose();
});
