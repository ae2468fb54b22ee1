import { createAsMlp } from '@as-mlp/backbone';
import * as tf from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { expectSame, float32 } from './models.fixture.ts';

await openEngine();

/** Sides that leave every kind of rest on the way down, so that each padding is there in every call. */
const TRACED = [float32(2, 49, 72, 3), float32(3, 71, 42, 3), float32(2, 106, 51, 3), float32(4, 56, 73, 3)];
const OTHERS = [
  float32(1, 64, 64, 3),
  float32(5, 97, 61, 3),
  float32(1, 33, 128, 3),
  float32(3, 40, 75, 3),
  float32(2, 7, 9, 3),
];

describe('the backbone as an ONNX model', () => {
  it('gives the same pyramid for images of any size', async () => {
    const backbone = createAsMlp('nano', { out: 'pyramid' });
    await expectSame((x) => backbone.forward(x as tf.Tensor4D), { traced: TRACED, others: OTHERS });
    backbone.dispose();
  });

  it('gives the same classes', async () => {
    const backbone = createAsMlp('nano', { out: 'final' });
    const head = tf.randomNormal([backbone.features[0]!.channels, 10], 0, 0.1, 'float32', 7) as tf.Tensor2D;
    const classify = (x: tf.Tensor) => {
      const [feature] = backbone.forward(x as tf.Tensor4D);
      return tf.matMul(tf.mean(feature!, [1, 2]) as tf.Tensor2D, head);
    };
    await expectSame(classify, { traced: TRACED, others: OTHERS });
    backbone.dispose();
  });
});
