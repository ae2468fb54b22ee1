import { AsMlpError, createRng } from '@as-mlp/base';
import { type AdamW, createAdamW, Linear, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { trainableVariables, trainStep } from './step.ts';

class Line extends Module {
  readonly a = this.add('a', new Linear({ inFeatures: 2, outFeatures: 2 }));
  readonly b = this.add('b', new Linear({ inFeatures: 2, outFeatures: 1 }));

  forward(x: tf.Tensor2D): tf.Tensor2D {
    return this.b.forward(this.a.forward(x));
  }
}

const POINTS = [
  [1, 2],
  [3, -1],
  [-2, 1],
  [0.5, 0.25],
] as const;

describe('trainStep', () => {
  let model: Line;
  let optimizer: AdamW;
  let before: number;

  beforeEach(() => {
    before = tf.memory().numTensors;
    model = new Line().initialize(createRng(3));
    optimizer = makeOptimizer();
  });

  afterEach(() => {
    optimizer.dispose();
    model.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  const makeOptimizer = () => createAdamW([{ params: trainableVariables(model), weightDecay: 0.1 }]);
  const squares =
    (points: readonly (readonly [number, number])[], factor = 1) =>
    () => {
      const y = model.forward(tf.tensor2d(points.map(([x, z]) => [x, z])));
      const fit = tf.mean(tf.square(tf.sub(y, 1))) as tf.Scalar;
      const size = tf.sum(tf.square(model.b.weight.value)) as tf.Scalar;
      return { total: tf.mul(tf.add(fit, size), factor) as tf.Scalar, parts: { fit, size } };
    };
  const weights = async () => (await model.stateDict()).map(({ data }) => [...data]);

  it('reports loss, parts and gradient norm, and lowers the loss', () => {
    const first = trainStep(model, squares(POINTS), optimizer, { learningRate: 0.01 });
    expect(first.loss).toBeCloseTo(first.parts.fit! + first.parts.size!, 5);
    const grads = tf.variableGrads(
      () => squares(POINTS)().total,
      [...trainableVariables(model)].map(([, v]) => v),
    );
    const norm = Math.hypot(...Object.values(grads.grads).flatMap((gradient) => [...gradient.dataSync()]));
    tf.dispose([grads.value, grads.grads]);
    const second = trainStep(model, squares(POINTS), optimizer, { learningRate: 0.01 });
    expect(second.gradNorm).toBeCloseTo(norm, 4);
    expect(second.loss).toBeLessThan(first.loss);
  });

  it('averages accumulated batches', async () => {
    const whole = trainStep(model, squares(POINTS), optimizer, { learningRate: 0.01 });
    const expected = await weights();
    optimizer.dispose();
    model.initialize(createRng(3));
    optimizer = makeOptimizer();
    const halves = [squares(POINTS.slice(0, 2)), squares(POINTS.slice(2))];
    const sum = trainStep(model, halves, optimizer, { learningRate: 0.01 });
    expect(sum.loss).toBeCloseTo(whole.loss, 5);
    expect(sum.parts.fit).toBeCloseTo(whole.parts.fit!, 5);
    expect(sum.gradNorm).toBeCloseTo(whole.gradNorm, 4);
    const actual = await weights();
    actual.forEach((values, i) => {
      values.forEach((value, k) => {
        expect(value).toBeCloseTo(expected[i]![k]!, 5);
      });
    });
  });

  it('clips what the moments see and reports the norm before', async () => {
    const { gradNorm } = trainStep(model, squares(POINTS), optimizer, { learningRate: 0.01, clipNorm: 0.5 });
    expect(gradNorm).toBeGreaterThan(0.5);
    const { moments } = await optimizer.exportState();
    const first = moments.filter(({ name }) => name.endsWith('.exp_avg')).flatMap(({ data }) => [...data]);
    expect(Math.hypot(...first)).toBeCloseTo(0.1 * 0.5, 5);
  });

  it('leaves frozen parameters alone', async () => {
    model.a.freeze();
    optimizer.dispose();
    optimizer = makeOptimizer();
    const [frozen] = await weights();
    trainStep(model, squares(POINTS), optimizer, { learningRate: 0.01 });
    expect((await weights())[0]).toEqual(frozen);
  });

  it.each([
    ['the loss', Number.NaN, 'step 7: the loss is NaN (fit '],
    ['the gradient', 1e30, 'step 7: the gradient norm is Infinity (fit '],
  ])('stops before a weight changes when %s is not finite', async (_, factor, message) => {
    const untouched = await weights();
    const tensors = tf.memory().numTensors;
    const step = () =>
      trainStep(model, squares(POINTS, factor), optimizer, { learningRate: 0.01, where: 'step 7' });
    expect(step).toThrow(AsMlpError);
    expect(step).toThrow(message);
    expect(await weights()).toEqual(untouched);
    expect(optimizer.stepCount).toBe(0);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it('needs no more tensors at each step', () => {
    trainStep(model, [squares(POINTS), squares(POINTS)], optimizer, { learningRate: 0.01, clipNorm: 1 });
    const tensors = tf.memory().numTensors;
    for (let i = 0; i < 5; i++) {
      trainStep(model, [squares(POINTS), squares(POINTS)], optimizer, { learningRate: 0.01, clipNorm: 1 });
      expect(tf.memory().numTensors).toBe(tensors);
    }
  });
});
