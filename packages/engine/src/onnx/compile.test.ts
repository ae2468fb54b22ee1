import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeEngine, type Engine, openEngine } from '../engine.ts';
import { onnxRuntimeVersion } from './session.ts';

let engine: Engine;
beforeAll(async () => {
  if (onnxRuntimeVersion()) engine = await openEngine({ engine: 'onnx', log: () => undefined });
});
beforeEach(({ skip }) => {
  if (!onnxRuntimeVersion()) skip('ONNX Runtime is not installed');
});

describe('the onnx engine', () => {
  it('says what it is, and runs single operations on WebAssembly', async () => {
    expect(describeEngine(engine)).toMatch(/^onnx engine: ONNX Runtime \d+\.\d+\.\d+ on the CPU, /);
    expect(tf.getBackend()).toBe('wasm');
    expect(engine.compileTrainingStep).toBeUndefined();
  });

  it('gives what the function gives, for every size', async () => {
    const weight = tf.variable(tf.randomNormal([3, 5]));
    const fn = (x: tf.Tensor) => {
      const [batch, height, width] = (x as tf.Tensor4D).shape;
      const rows = tf.matMul(tf.reshape(x, [-1, 3]) as tf.Tensor2D, weight as tf.Tensor2D);
      const map = tf.reshape(tf.relu(rows), [batch, height, width, 5]);
      return [map, tf.div(tf.sum(map, [1, 2]), height * width)];
    };
    const compiled = await engine.compile(fn, { inputs: [{ shape: ['batch', 'height', 'width', 3] }] });
    expect(compiled.isGraph).toBe(true);
    const before = tf.memory().numTensors;
    for (const shape of [
      [1, 8, 8, 3],
      [3, 5, 17, 3],
    ]) {
      const x = tf.randomNormal(shape);
      const wanted = tf.tidy(() => fn(x));
      const given = await compiled(x);
      for (const [i, tensor] of given.entries()) {
        expect(tensor.shape).toEqual(wanted[i]!.shape);
        expect(tf.tidy(() => tf.max(tf.abs(tf.sub(tensor, wanted[i]!))).dataSync()[0]!)).toBeLessThan(1e-5);
      }
      tf.dispose([x, wanted, given]);
    }
    expect(tf.memory().numTensors).toBe(before);
    await expect(compiled(tf.ones([1, 2, 2, 4]))).rejects.toThrow('Give float32 [batch, height, width, 3]');
    await compiled.dispose();
    weight.dispose();
  });
});
