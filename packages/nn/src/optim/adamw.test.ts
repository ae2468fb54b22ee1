import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expectClose, golden } from '../golden.fixture.ts';
import { type AdamW, type AdamWGroup, createAdamW } from './adamw.ts';
import { clipGradNorm } from './clip.ts';
import { type Moments, portableMoments } from './moments.ts';

type Named<T> = Record<'a.weight' | 'a.bias' | 'b.weight', T>;

interface Step {
  readonly lr: number;
  readonly total_norm: number;
  readonly clip_coefficient: number;
  readonly param: Named<number[]>;
  readonly exp_avg: Named<number[]>;
  readonly exp_avg_sq: Named<number[]>;
}

const fixture = golden<{
  max_norm: number;
  betas: [number, number];
  eps: number;
  weight_decay: Named<number>;
  shapes: Named<number[]>;
  start: Named<number[]>;
  grads: Named<number[]>[];
  atol: { float32: number };
  steps: { float32: Step[]; float64: Step[] };
}>('recipe/adamw.json');
const names = Object.keys(fixture.shapes) as (keyof Named<unknown>)[];

const gradientsAt = (step: number) =>
  Object.fromEntries(
    names.map((name) => [name, tf.tensor(fixture.grads[step]![name], fixture.shapes[name])]),
  );

describe('createAdamW', () => {
  let variables: Map<string, tf.Variable>;
  let before: number;

  const groups = (): AdamWGroup[] =>
    [0.05, 0].map((weightDecay) => ({
      params: [...variables].filter(([name]) => fixture.weight_decay[name as 'a.bias'] === weightDecay),
      weightDecay,
    }));
  const advance = (optimizer: AdamW, step: number) => {
    const gradients = gradientsAt(step);
    const { scale } = clipGradNorm(gradients, fixture.max_norm);
    optimizer.step(gradients, fixture.steps.float32[step]!.lr, scale);
    tf.dispose(gradients);
  };
  const values = () => [...variables.values()].map((variable) => variable.dataSync().slice());

  beforeEach(() => {
    before = tf.memory().numTensors;
    variables = new Map(
      names.map((name) => [
        name,
        tf.tidy(() => tf.variable(tf.tensor(fixture.start[name], fixture.shapes[name]))),
      ]),
    );
  });
  afterEach(() => {
    tf.dispose([...variables.values()]);
    expect(tf.memory().numTensors, 'tensors left').toBe(before);
  });

  it('takes the five steps of PyTorch', async () => {
    const { betas, eps, atol } = fixture;
    const optimizer = createAdamW(groups(), { betas, eps });
    for (const [index, wanted] of fixture.steps.float32.entries()) {
      advance(optimizer, index);
      const moments = new Map((await optimizer.exportState()).moments.map(({ name, data }) => [name, data]));
      for (const name of names) {
        expectClose(variables.get(name)!.dataSync(), wanted.param[name], atol.float32);
        expectClose(moments.get(`${name}.exp_avg`)!, wanted.exp_avg[name], atol.float32);
        expectClose(moments.get(`${name}.exp_avg_sq`)!, wanted.exp_avg_sq[name], atol.float32);
      }
    }
    expect(optimizer.stepCount).toBe(5);
    optimizer.dispose();
  });

  it('resumes with the same bits', async () => {
    const optimizer = createAdamW(groups());
    for (const step of [0, 1]) advance(optimizer, step);
    const state = structuredClone(await optimizer.exportState());
    const resumed = createAdamW(groups());
    resumed.importState(state);
    const start = values();
    for (const step of [2, 3]) advance(optimizer, step);
    const wanted = values();
    [...variables.values()].forEach((variable, i) => {
      tf.tidy(() => void variable.assign(tf.tensor(start[i]!, variable.shape)));
    });
    for (const step of [2, 3]) advance(resumed, step);
    expect(values()).toEqual(wanted);
    expect(await resumed.exportState()).toEqual(await optimizer.exportState());
    optimizer.dispose();
    resumed.dispose();
  });

  it('updates large parameters alone and small ones together with the same result', () => {
    const size = 9000;
    const gradient = tf.range(-size / 2, size / 2);
    const large = tf.tidy(() => tf.variable(tf.ones([90, 100])));
    const parts = [0, 1, 2].map(() => tf.tidy(() => tf.variable(tf.ones([30, 100]))));
    const alone = createAdamW([{ params: [['large', large]], weightDecay: 0.1 }]);
    const together = createAdamW([
      { params: parts.map((part, i) => [`part${i}`, part] as const), weightDecay: 0.1 },
    ]);
    const slices = tf.split(gradient, 3).map((part) => tf.reshape(part, [30, 100]));
    for (let step = 0; step < 3; step++) {
      alone.step({ large: tf.reshape(gradient, [90, 100]) }, 0.01);
      together.step(Object.fromEntries(slices.map((part, i) => [`part${i}`, part])), 0.01);
    }
    expect([...tf.concat(parts).dataSync()]).toEqual([...large.dataSync()]);
    expect(large.dataSync()[0]).toBeGreaterThan(1.02);
    alone.dispose();
    together.dispose();
    before = tf.memory().numTensors - variables.size;
  });

  it('scales the learning rate and the gradients', () => {
    const run = (lrScale: number, learningRate: number, factor: number, scale?: number) => {
      const variable = tf.tidy(() => tf.variable(tf.tensor1d([1, -2])));
      const optimizer = createAdamW([{ params: [['x', variable]], weightDecay: 0.1, lrScale }], {
        eps: 1e-2,
      });
      tf.tidy(() => optimizer.step({ x: tf.tensor1d([0.3 * factor, -0.1 * factor]) }, learningRate, scale));
      const result = [...variable.dataSync()];
      optimizer.dispose();
      variable.dispose();
      return result;
    };
    expect(run(0.5, 0.2, 1)).toEqual(run(1, 0.1, 1));
    expectClose(run(1, 0.1, 4, 0.25), run(1, 0.1, 1), 1e-7);
    expect(run(1, 0.1, 4)).not.toEqual(run(1, 0.1, 1));
  });

  it('works inside tidy and leaves earlier values as they were', () => {
    const variable = variables.get('a.bias')!;
    let optimizer!: AdamW;
    tf.tidy(() => {
      optimizer = createAdamW([{ params: [['x', variable]], weightDecay: 0 }]);
    });
    const kept = tf.clone(variable);
    for (let step = 0; step < 2; step++) tf.tidy(() => optimizer.step({ x: tf.ones([5]) }, 0.1));
    expectClose(kept.dataSync(), fixture.start['a.bias'], 1e-7);
    expectClose(
      variable.dataSync(),
      fixture.start['a.bias'].map((value) => value - 0.2),
      1e-6,
    );
    optimizer.dispose();
    kept.dispose();
  });

  it('refuses gradients and states that do not fit, and changes nothing', async () => {
    const optimizer = createAdamW(groups());
    const start = values();
    const gradients = gradientsAt(0);
    expect(() => optimizer.step({ ...gradients, 'a.bias': gradients['a.weight']! }, 1)).toThrow(
      /a\.bias: has shape \[5\] and a gradient of shape \[3,4\]/,
    );
    const { 'a.bias': _, ...rest } = gradients;
    expect(() => optimizer.step(rest, 1)).toThrow(/a\.bias: has no gradient/);
    expect(values()).toEqual(start);
    expect(optimizer.stepCount).toBe(0);

    const { moments } = await optimizer.exportState();
    const foreign = { ...moments[0]!, name: 'c.weight.exp_avg' };
    expect(() => optimizer.importState({ step: 1, moments: moments.slice(1) })).toThrow(
      /1 moments are missing/,
    );
    expect(() => optimizer.importState({ step: 1, moments: [...moments, foreign] })).toThrow(
      /c\.weight\.exp_avg/,
    );
    expect(optimizer.stepCount).toBe(0);
    expect(() => createAdamW([...groups(), ...groups()])).toThrow(AsMlpError);
    tf.dispose(gradients);
    optimizer.dispose();
    before = tf.memory().numTensors - variables.size;
  });
});

describe('portableMoments', () => {
  it('takes the steps of PyTorch on every backend', async () => {
    const size = { 'a.weight': 12, 'a.bias': 5, 'b.weight': 6 };
    for (const name of names) {
      const moments: Moments = portableMoments([size[name]]);
      let values: tf.Tensor = tf.tensor1d(fixture.start[name]);
      for (const [index, wanted] of fixture.steps.float32.entries()) {
        const step = {
          learningRate: wanted.lr,
          decay: 1 - wanted.lr * fixture.weight_decay[name],
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          count: index + 1,
        };
        const gradient = tf.mul(tf.tensor1d(fixture.grads[index]![name]), wanted.clip_coefficient);
        values = moments.update(values, gradient, step);
        expectClose(values.dataSync(), wanted.param[name], fixture.atol.float32);
      }
      const [first, second] = await moments.read();
      expectClose(first, fixture.steps.float32[4]!.exp_avg[name], fixture.atol.float32);
      expectClose(second, fixture.steps.float32[4]!.exp_avg_sq[name], fixture.atol.float32);
      moments.dispose();
    }
  });
});
