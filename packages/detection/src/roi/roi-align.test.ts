import { openEngine } from '@as-mlp/engine';
import type { TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { channelsLast, floats, golden, wave, worst } from '../golden.fixture.ts';
import { roiAlign, roiAlignGradient, toRois } from './roi-align.ts';
import { roiAlignOp } from './roi-align-op.ts';

interface Case {
  readonly output_size: number;
  readonly spatial_scale: number;
  readonly rois: number[][];
  readonly expected: number[][];
  readonly grad_feature: number[] | null;
}
const { feature_shape, cases } = golden<{
  feature_shape: [number, number, number, number];
  cases: readonly Case[];
}>('unit/roi_align.json');
const [batch, channels, height, width] = feature_shape;
const data = channelsLast(wave(batch * channels * height * width, 0.37, 0.011), feature_shape);
const map = (stride: number) => ({ data, height, width, channels, stride });

const engine = await openEngine({ log: () => undefined });
const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

describe.each(cases)(
  'of $output_size² cells at scale $spatial_scale',
  ({ output_size: size, spatial_scale, rois, expected, grad_feature }) => {
    const stride = 1 / spatial_scale;
    const shape = [rois.length, channels, size, size] as const;

    it('is the official one, inside, across and outside of the map', () => {
      const cuts = roiAlign([map(stride)], floats(rois), size);
      expect(worst(cuts, channelsLast(floats(expected), shape))).toBeLessThan(1e-5);
    });

    const nhwc = [batch, height, width, channels] as const;

    it.skipIf(!engine.compileTrainingStep)('is the official one in a graph', async () => {
      const cutOut = (x: tf.Tensor, regions: tf.Tensor) =>
        roiAlignOp([x as tf.Tensor4D], [stride], regions as tf.Tensor2D, size);
      const inputs = [{ shape: ['batch', 'height', 'width', channels] }, { shape: ['list 0', 5] }] as const;
      const compiled = await engine.compile(cutOut as TensorFunction, { inputs });
      const given = [tf.tensor4d(data, [...nhwc]), tf.tensor2d(rois)];
      const cuts = (await compiled(...given)) as tf.Tensor;
      expect(worst(cuts.dataSync<'float32'>(), channelsLast(floats(expected), shape))).toBeLessThan(1e-5);
      tf.dispose([...given, cuts]);
      await compiled.dispose();
    });

    if (!grad_feature) return;

    it('has the official gradient', () => {
      const count = shape.reduce((a, b) => a * b, 1);
      const dy = channelsLast(wave(count, 0.23, 0.007), shape);
      const [gradient] = roiAlignGradient([map(stride)], floats(rois), size, dy, batch);
      const official = channelsLast(grad_feature, feature_shape);
      expect(worst(gradient!, official)).toBeLessThan(1e-5);

      tf.tidy(() => {
        const f = (x: tf.Tensor) => {
          const cuts = roiAlignOp([x as tf.Tensor4D], [stride], tf.tensor2d(rois), size);
          return tf.sum(tf.mul(cuts, tf.tensor(dy, cuts.shape))) as tf.Scalar;
        };
        const found = tf.grad(f)(tf.tensor4d(data, [...nhwc]));
        expect(worst(found.dataSync(), official)).toBeLessThan(1e-5);
      });
    });

    it.skipIf(!engine.compileTrainingStep)('has the official gradient in a graph', async () => {
      const count = shape.reduce((a, b) => a * b, 1);
      const dy = channelsLast(wave(count, 0.23, 0.007), shape);
      const gradientOf = (x: tf.Tensor, regions: tf.Tensor, weights: tf.Tensor) =>
        tf.grad((map) => {
          const cuts = roiAlignOp([map as tf.Tensor4D], [stride], regions as tf.Tensor2D, size);
          return tf.sum(tf.mul(cuts, weights));
        })(x);
      const inputs = [
        { shape: ['batch', 'height', 'width', channels] },
        { shape: ['list 0', 5] },
        { shape: ['list 0', size, size, channels] },
      ] as const;
      const compiled = await engine.compile(gradientOf as TensorFunction, { inputs });
      const given = [
        tf.tensor4d(data, [...nhwc]),
        tf.tensor2d(rois),
        tf.tensor4d(dy, [rois.length, size, size, channels]),
      ];
      const found = (await compiled(...given)) as tf.Tensor;
      expect(worst(found.dataSync<'float32'>(), channelsLast(grad_feature, feature_shape))).toBeLessThan(
        1e-5,
      );
      tf.dispose([...given, found]);
      await compiled.dispose();
    });
  },
);

it('takes each region from the level of its size', () => {
  const level = (value: number, stride: number) => ({
    data: new Float32Array(64).fill(value),
    height: 8,
    width: 8,
    channels: 1,
    stride,
  });
  const boxes = Float32Array.of(0, 0, 20, 20, 0, 0, 120, 120, 0, 0, 30, 30);
  const cuts = roiAlign([level(1, 32), level(2, 64)], toRois(boxes), 2);
  expect([...cuts]).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1]);
});

it('cuts into memory that was used before', () => {
  const boxes = floats([[0, 4, 4, 12, 12]]);
  const fresh = roiAlign([map(4)], boxes, 2);
  const buffer = new Float32Array(fresh.length + 3).fill(7);
  const cuts = roiAlign([map(4)], boxes, 2, buffer);
  expect(cuts).toEqual(fresh);
  expect(cuts.buffer).toBe(buffer.buffer);
  // Outside of the map: zeros, whatever was there.
  expect(roiAlign([map(4)], floats([[0, -900, -900, -800, -800]]), 2, buffer).every((v) => v === 0)).toBe(
    true,
  );
});

it('takes no regions', () => {
  expect(roiAlign([map(4)], new Float32Array(0), 7)).toHaveLength(0);
  expect(() => roiAlign([map(4)], new Float32Array(4), 7)).toThrow(/4 numbers are no list of regions/);
});
