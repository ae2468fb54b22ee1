import { createRng } from '@as-mlp/base';
import {
  BatchNorm,
  clipGradNorm,
  createAdamW,
  crossEntropy,
  dropPath,
  gelu,
  groupNorm,
  type Mode,
} from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import type { HostPart, HostTensor } from './host-part.ts';
import { compileTrainingStep, type TrainingStep } from './training.ts';

const SIDE = 4;
const CLASSES = 3;
const INPUTS = [{ shape: ['batch', SIDE, SIDE, 2] }, { shape: ['batch'], dtype: 'int32' }] as const;

let isThere = false;
beforeAll(async () => {
  isThere = await openEngine({ engine: 'native', log: () => undefined }).then(
    () => true,
    () => false,
  );
});
beforeEach(({ skip }) => {
  if (!isThere) skip('no native engine here');
});

/** A norm, a hidden layer that is dropped at random, and a classifier. */
function createNet(seed: number) {
  const rng = createRng(seed);
  const variable = (name: string, shape: number[], spread = 0.5) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const initial = tf.tensor(
      rng
        .fork(name)
        .normal(size)
        .map((value) => spread * value),
      shape,
    );
    const made = tf.variable(initial);
    initial.dispose();
    return [name, made] as const;
  };
  const params = [
    variable('norm.weight', [2]),
    variable('norm.bias', [2]),
    variable('fc1.weight', [2, 8]),
    variable('fc1.bias', [8]),
    variable('head.weight', [8, CLASSES]),
  ];
  const [gain, bias, hidden, hiddenBias, head] = params.map(([, value]) => value) as tf.Variable[];
  const loss = ([x, y]: tf.Tensor[], mode: Mode) => {
    const rows = x!.shape[0]! * SIDE * SIDE;
    const normed = tf.reshape(groupNorm(x as tf.Tensor4D, gain!, bias!), [rows, 2]);
    const map = gelu(tf.add(tf.matMul(normed, hidden as tf.Tensor2D), hiddenBias!));
    const kept = dropPath(tf.reshape(map, [x!.shape[0]!, SIDE * SIDE, 8]), 0.4, mode);
    const logits = tf.matMul(tf.mean(kept, 1) as tf.Tensor2D, head as tf.Tensor2D);
    const total = crossEntropy(logits, y as tf.Tensor1D, { labelSmoothing: 0.1 }) as tf.Scalar;
    return { total, parts: { half: tf.mul(total, 0.5) as tf.Scalar } };
  };
  const groups = [
    { params: params.filter(([, { rank }]) => rank > 1), weightDecay: 0.05 },
    { params: params.filter(([, { rank }]) => rank === 1), weightDecay: 0, lrScale: 0.5 },
  ];
  return { params, groups, loss, dispose: () => tf.dispose(params.map(([, value]) => value)) };
}

function createBatch(seed: number, size: number): HostTensor[] {
  const rng = createRng(seed).fork('batch');
  return [
    { shape: [size, SIDE, SIDE, 2], data: rng.normal(size * SIDE * SIDE * 2) },
    { shape: [size], data: Int32Array.from({ length: size }, () => rng.int(CLASSES)) },
  ];
}

const tensorsOf = (batch: readonly HostTensor[]) =>
  batch.map(({ shape, data }) =>
    tf.tensor(data, [...shape], data instanceof Int32Array ? 'int32' : 'float32'),
  );

const toHost = (tensor: tf.Tensor): HostTensor => ({
  shape: tensor.shape,
  data: tensor.dataSync<'float32'>(),
});

/** The same updates, each operation by itself. */
function eagerStep(net: ReturnType<typeof createNet>, clipNorm: number) {
  const optimizer = createAdamW(net.groups);
  return {
    run(batch: readonly HostTensor[], seed: number, learningRate: number) {
      return tf.tidy(() => {
        const mode = { training: true, rng: createRng(seed) };
        const { value, grads } = tf.variableGrads(() => net.loss(tensorsOf(batch), mode).total);
        const gradients = Object.fromEntries(net.params.map(([name, { name: id }]) => [name, grads[id]!]));
        const { norm, scale } = clipGradNorm(gradients, clipNorm);
        optimizer.step(gradients, learningRate, scale);
        return { loss: value.dataSync()[0]!, gradNorm: norm };
      });
    },
    dispose: () => optimizer.dispose(),
  };
}

let step: TrainingStep | undefined;
afterEach(async () => {
  await step?.dispose();
  step = undefined;
});

/**
 * A loss that looks at the rows that plain code chooses: those of the largest first layer, then of them those of the largest
 * second. Both answers have lengths of their own.
 */
function createChoosingNet(seed: number) {
  const net = createNet(seed);
  const [, , hidden, , head] = net.params.map(([, value]) => value) as tf.Variable[];
  const best = (values: HostTensor, least: number): HostTensor => {
    const chosen = [...values.data.keys()].filter((i) => values.data[i]! > least);
    return { shape: [chosen.length], data: Int32Array.from(chosen) };
  };
  const host: HostPart = {
    answers: [
      [{ shape: ['list 0'], dtype: 'int32' }, { shape: ['list 0'] }],
      [{ shape: ['list 1'], dtype: 'int32' }],
    ],
    begin: ([, , threshold], random) => {
      const weight = random.fork('host').next();
      let asked = 0;
      return ([scores]) => {
        const rows = best(scores!, asked++ === 0 ? threshold!.data[0]! : -1);
        const weights = { shape: rows.shape, data: new Float32Array(rows.data.length).fill(weight) };
        return asked === 1 ? [rows, weights] : [rows];
      };
    },
  };
  const loss = ([x, y]: tf.Tensor[], { ask, ...mode }: Mode) => {
    const map = tf.matMul(tf.mean(x!, [1, 2]) as tf.Tensor2D, hidden as tf.Tensor2D);
    const kept = dropPath(map, 0.2, mode);
    const [rows, weights] = ask!([tf.max(kept, 1)]);
    const some = tf.gather(kept, rows as tf.Tensor1D);
    const [fewer] = ask!([tf.mean(some, 1)]);
    const logits = tf.matMul(tf.gather(some, fewer as tf.Tensor1D) as tf.Tensor2D, head as tf.Tensor2D);
    const labels = tf.gather(tf.gather(y!, rows as tf.Tensor1D), fewer as tf.Tensor1D);
    const size = tf.sum(tf.mul(tf.max(some, 1), weights!));
    const rest = net.loss([x!, y!], mode).total;
    const total = tf.addN([crossEntropy(logits, labels as tf.Tensor1D), size, rest]) as tf.Scalar;
    return { total, parts: { size: size as tf.Scalar } };
  };
  return { ...net, loss, host };
}

describe('compileTrainingStep', () => {
  it('asks plain code in the middle of the loss, as step by step', async () => {
    const [plain, graph] = [createChoosingNet(4), createChoosingNet(4)];
    const optimizer = createAdamW(plain.groups);
    step = await compileTrainingStep({ ...graph, inputs: INPUTS });
    for (let i = 0; i < 8; i++) {
      const threshold = { shape: [1], data: Float32Array.of(i === 3 ? -100 : 0.05 * i - 0.1) };
      const batch = [...createBatch(i, i % 3 === 2 ? 5 : 8), threshold];
      const wanted = tf.tidy(() => {
        const random = createRng(i);
        const answer = plain.host.begin(batch, random);
        const ask = (values: readonly tf.Tensor[]) => tensorsOf(answer(values.map(toHost)));
        const mode = { training: true, rng: random, ask };
        const { value, grads } = tf.variableGrads(() => plain.loss(tensorsOf(batch.slice(0, 2)), mode).total);
        const gradients = Object.fromEntries(plain.params.map(([name, { name: id }]) => [name, grads[id]!]));
        optimizer.step(gradients, 0.02, 1);
        return value.dataSync()[0]!;
      });
      const found = await step.run([{ tensors: batch, rng: createRng(i) }], 0.02);
      expect(found.loss).toBeCloseTo(wanted, 5);
    }
    await step.pull();
    const values = ({ params }: typeof plain) => params.flatMap(([, value]) => [...value.dataSync()]);
    const expected = values(plain);
    expect(Math.max(...values(graph).map((value, k) => Math.abs(value - expected[k]!)))).toBeLessThan(1e-5);
    optimizer.dispose();
    plain.dispose();
    graph.dispose();
  });

  it('refuses a loss that asks more often than it says', async () => {
    const net = createChoosingNet(4);
    const host = { ...net.host, answers: net.host.answers.slice(0, 1) };
    await expect(compileTrainingStep({ ...net, host, inputs: INPUTS })).rejects.toThrow(
      'asks more than 1 times',
    );
    net.dispose();
  });

  it('trains as step by step, with batches of several sizes', async () => {
    const [plain, graph] = [createNet(1), createNet(1)];
    const eager = eagerStep(plain, 0.3);
    step = await compileTrainingStep({ ...graph, inputs: INPUTS, clipNorm: 0.3 });
    for (let i = 0; i < 20; i++) {
      const batch = createBatch(i, i % 5 === 4 ? 3 : 8);
      const learningRate = 0.02 * (1 - i / 40);
      const wanted = eager.run(batch, i, learningRate);
      const found = await step.run([{ tensors: batch, rng: createRng(i) }], learningRate);
      expect(found.loss).toBeCloseTo(wanted.loss, 5);
      expect(found.parts.half).toBeCloseTo(wanted.loss / 2, 5);
      expect(found.gradNorm).toBeCloseTo(wanted.gradNorm, 4);
    }
    await step.pull();
    for (const [i, [, value]] of graph.params.entries()) {
      const [a, b] = [await value.data(), await plain.params[i]![1].data()];
      expect(Math.max(...a.map((one, at) => Math.abs(one - b[at]!)))).toBeLessThan(1e-5);
    }
    eager.dispose();
    plain.dispose();
    graph.dispose();
  });

  it('draws anew in every run, and the same from the same seed', async () => {
    const net = createNet(2);
    step = await compileTrainingStep({ ...net, inputs: INPUTS });
    const batch = createBatch(0, 8);
    const losses: number[] = [];
    for (const seed of [1, 2, 1]) {
      // A rate of zero leaves the weights as they are.
      losses.push((await step.run([{ tensors: batch, rng: createRng(seed) }], 0)).loss);
    }
    expect(losses[1]).not.toBe(losses[0]);
    expect(losses[2]).toBe(losses[0]);
    net.dispose();
  });

  it('leaves no tensor behind', async () => {
    const net = createNet(1);
    const before = tf.memory().numTensors;
    step = await compileTrainingStep({ ...net, inputs: INPUTS });
    expect(tf.memory().numTensors).toBe(before);
    await step.run([{ tensors: createBatch(0, 8), rng: createRng(0) }], 0.02);
    expect(tf.memory().numTensors).toBe(before);
    net.dispose();
  });

  it('averages the gradients of several batches', async () => {
    const [net, twin] = [createNet(3), createNet(3)];
    const [first, second] = [createBatch(0, 8), createBatch(1, 8)];
    step = await compileTrainingStep({ ...net, inputs: INPUTS, accumulate: 2 });
    const rngs = () => [createRng(1), createRng(2)] as const;
    for (let i = 0; i < 2; i++) {
      const [a, b] = rngs();
      await step.run(
        [
          { tensors: first, rng: a },
          { tensors: second, rng: b },
        ],
        0.01,
      );
    }
    await step.pull();
    const optimizer = createAdamW(twin.groups);
    for (let i = 0; i < 2; i++) {
      tf.tidy(() => {
        const [a, b] = rngs();
        const { grads } = tf.variableGrads(
          () =>
            tf.mul(
              tf.add(
                twin.loss(tensorsOf(first), { training: true, rng: a }).total,
                twin.loss(tensorsOf(second), { training: true, rng: b }).total,
              ),
              0.5,
            ) as tf.Scalar,
        );
        const named = twin.params.map(([name, { name: id }]) => [name, grads[id]!] as const);
        optimizer.step(Object.fromEntries(named), 0.01);
      });
    }
    for (const [i, [, value]] of net.params.entries()) {
      const [a, b] = [await value.data(), await twin.params[i]![1].data()];
      expect(Math.max(...a.map((one, at) => Math.abs(one - b[at]!)))).toBeLessThan(1e-5);
    }
    optimizer.dispose();
    net.dispose();
    twin.dispose();
  });

  it.each([1, 2])(
    'changes nothing when a number is not finite, with %i batches an update',
    async (accumulate) => {
      const net = createNet(4);
      step = await compileTrainingStep({ ...net, inputs: INPUTS, accumulate });
      const good = createBatch(0, 8);
      const broken = createBatch(1, 8);
      broken[0]!.data[5] = Number.NaN;
      const batches = (tensors: readonly HostTensor[]) =>
        Array.from({ length: accumulate }, (_, i) => ({ tensors, rng: createRng(i) }));
      await step.run(batches(good), 0.01);
      const before = await step.exportState();
      await step.pull();
      const weights = await net.params[2]![1].data();
      const { loss, gradNorm } = await step.run(batches(broken), 0.01);
      expect(Number.isFinite(loss) && Number.isFinite(gradNorm)).toBe(false);
      expect(await step.exportState()).toEqual(before);
      await step.pull();
      expect(await net.params[2]![1].data()).toEqual(weights);
      net.dispose();
    },
  );

  it('goes on from a state to the same bits', async () => {
    const net = createNet(5);
    step = await compileTrainingStep({ ...net, inputs: INPUTS });
    const run = (from: TrainingStep, i: number) =>
      from.run([{ tensors: createBatch(i, 8), rng: createRng(i) }], 0.01);
    for (let i = 0; i < 3; i++) await run(step, i);
    const state = await step.exportState();
    await step.pull();
    const second = await compileTrainingStep({ ...net, inputs: INPUTS });
    await second.importState(state);
    for (let i = 3; i < 6; i++) expect(await run(second, i)).toEqual(await run(step, i));
    expect(await second.exportState()).toEqual(await step.exportState());
    const wrong = { step: 1, moments: state.moments.slice(1) };
    await expect(second.importState(wrong)).rejects.toThrow(/optimiser state/);
    await second.dispose();
    net.dispose();
  });

  it('names a parameter that the loss does not depend on', async () => {
    const net = createNet(6);
    const idle = tf.variable(tf.scalar(1));
    const groups = [{ params: [...net.params, ['idle', idle] as const], weightDecay: 0 }];
    await expect(compileTrainingStep({ ...net, groups, inputs: INPUTS })).rejects.toThrow(/idle/);
    net.dispose();
    idle.dispose();
  });

  it('keeps the running statistics of batch norms, also over accumulated batches', async () => {
    const make = () => {
      const net = createNet(7);
      const norm = new BatchNorm(8).initialize(createRng(2));
      const [, , hidden, hiddenBias, head] = net.params.map(([, value]) => value);
      const loss = ([x, y]: tf.Tensor[], mode: Mode) => {
        const rows = tf.reshape(x!, [x!.shape[0]! * SIDE * SIDE, 2]) as tf.Tensor2D;
        const map = tf.add(tf.matMul(rows, hidden as unknown as tf.Tensor2D), hiddenBias!);
        const normed = norm.forward(tf.reshape(map, [x!.shape[0]!, SIDE, SIDE, 8]) as tf.Tensor4D, mode);
        const logits = tf.matMul(tf.mean(normed, [1, 2]) as tf.Tensor2D, head as unknown as tf.Tensor2D);
        return { total: crossEntropy(logits, y as tf.Tensor1D) as tf.Scalar };
      };
      const params = [...net.params.slice(2), ['bn.weight', norm.weight.value] as const];
      return { loss, norm, params, groups: [{ params, weightDecay: 0 }] };
    };
    for (const accumulate of [1, 2]) {
      const [plain, graph] = [make(), make()];
      step = await compileTrainingStep({ ...graph, inputs: INPUTS, accumulate });
      for (let i = 0; i < 3; i++) {
        const batches = Array.from({ length: accumulate }, (_, at) => createBatch(10 * i + at, 4 + i));
        const rng = createRng(i);
        await step.run(
          batches.map((tensors) => ({ tensors, rng })),
          0,
        );
        for (const batch of batches) {
          tf.tidy(() => void plain.loss(tensorsOf(batch), { training: true, rng }));
        }
      }
      const broken = createBatch(99, 4);
      broken[0]!.data[3] = Number.NaN;
      const batches = Array.from({ length: accumulate }, () => ({ tensors: broken, rng: createRng(9) }));
      expect((await step.run(batches, 0.1)).loss).toBeNaN();
      await step.pull();
      for (const key of ['runningMean', 'runningVariance'] as const) {
        const [found, wanted] = [await graph.norm[key].read(), await plain.norm[key].read()];
        expect(Math.max(...found.map((value, at) => Math.abs(value - wanted[at]!)))).toBeLessThan(1e-6);
        expect(found.some((value) => value !== 0 && value !== 1)).toBe(true);
      }
      await step.dispose();
      step = undefined;
    }
  });

  it('refuses a variable that is read after it was assigned', async () => {
    const net = createNet(3);
    const running = tf.variable(tf.zeros([1]));
    const loss = ([x, y]: tf.Tensor[], mode: Mode) => {
      running.assign(tf.reshape(tf.mean(x!), [1]));
      const { total } = net.loss([tf.add(x!, running), y!], mode);
      return { total };
    };
    const compiling = compileTrainingStep({ ...net, loss, inputs: INPUTS });
    await expect(compiling).rejects.toThrow(/training\.test\.ts.*reads a variable that it has assigned/);
    expect(running.dataSync()[0]).toBe(0);
    tf.dispose(running);
    net.dispose();
  });
});
