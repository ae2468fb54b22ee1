import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { type ExportSpec, exportSavedModel, runSavedModel } from './export-saved-model.ts';

const SPEC: ExportSpec = {
  inputs: [{ name: 'images', shape: ['batch', 'height', 'width', 3] }],
  outputs: ['map', 'mean'],
};
const folder = mkdtempSync(join(tmpdir(), 'as-mlp-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let isThere = false;
beforeAll(async () => {
  isThere = await openEngine({ engine: 'native', log: () => undefined }).then(
    () => true,
    () => false,
  );
});

describe('exportSavedModel', () => {
  it('writes one file that TensorFlow loads, for inputs of any size', async ({ skip }) => {
    if (!isThere) skip('no native engine here');
    const weight = tf.variable(tf.randomNormal([3, 4]));
    const fn = (images: tf.Tensor) => {
      const [batch, height, width] = (images as tf.Tensor4D).shape;
      const rows = tf.matMul(tf.reshape(images, [-1, 3]) as tf.Tensor2D, weight as tf.Tensor2D);
      const map = tf.reshape(rows, [batch, height, width, 4]);
      return [map, tf.div(tf.sum(map, [1, 2]), height * width)];
    };
    const path = join(folder, 'model');
    await exportSavedModel(fn, path, SPEC);
    expect(readdirSync(path)).toEqual(['saved_model.pb']);
    for (const shape of [
      [1, 8, 8, 3],
      [3, 5, 17, 3],
    ]) {
      const x = tf.randomNormal(shape);
      const wanted = tf.tidy(() => fn(x));
      const found = runSavedModel(path, [x], SPEC);
      for (const [i, tensor] of found.entries()) {
        expect(tensor.shape).toEqual(wanted[i]!.shape);
        const largest = tf.tidy(() => tf.max(tf.abs(tf.sub(tensor, wanted[i]!))).dataSync()[0]!);
        expect(largest).toBeLessThan(1e-5);
      }
      tf.dispose([x, wanted, found]);
    }
    weight.dispose();
  });
});
