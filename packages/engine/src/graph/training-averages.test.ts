import { createRng } from '@as-mlp/base';
import { BatchNorm, crossEntropy, Linear, type Mode, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { compileTrainingStep } from './training.ts';

const INPUTS = [{ shape: ['batch', 2] }, { shape: ['batch'], dtype: 'int32' }] as const;
const DECAY = 0.8;

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

class Net extends Module {
  readonly hidden = this.add('hidden', new Linear({ inFeatures: 2, outFeatures: 4 }));
  readonly norm = this.add('norm', new BatchNorm(4));
  readonly head = this.add('head', new Linear({ inFeatures: 4, outFeatures: 3 }));

  forward(x: tf.Tensor2D, mode: Mode): tf.Tensor2D {
    const map = tf.reshape(this.hidden.forward(x), [x.shape[0], 1, 1, 4]) as tf.Tensor4D;
    return this.head.forward(tf.reshape(this.norm.forward(map, mode), [x.shape[0], 4]) as tf.Tensor2D);
  }
}

/** A step of a net whose hidden layer is frozen. */
async function createStep(accumulate: number) {
  const net = new Net().initialize(createRng(3));
  net.hidden.freeze();
  const tensors = [...net.namedTensors()].map(([name, { value }]) => [name, value] as const);
  const trainable = new Set([...net.namedParameters()].filter(([, p]) => p.trainable).map(([name]) => name));
  const step = await compileTrainingStep({
    groups: [{ params: tensors.filter(([name]) => trainable.has(name)), weightDecay: 0.05 }],
    accumulate,
    averages: { decay: DECAY, variables: tensors },
    inputs: INPUTS,
    loss: ([x, y], mode) => ({
      total: crossEntropy(net.forward(x as tf.Tensor2D, mode), y as tf.Tensor1D) as tf.Scalar,
    }),
  });
  const pulled = async (which: 'weights' | 'averages') => {
    await step.pull(which);
    return Promise.all(tensors.map(async ([, variable]) => [...(await variable.data())]));
  };
  const update = (seed: number, broken = false) => {
    const batches = Array.from({ length: accumulate }, (_, i) => {
      const rng = createRng(seed).fork(i);
      const data = rng.normal(12);
      if (broken && i === accumulate - 1) data[0] = Number.NaN;
      const y = Int32Array.from({ length: 6 }, () => rng.int(3));
      return {
        tensors: [
          { shape: [6, 2], data },
          { shape: [6], data: y },
        ],
        rng,
      };
    });
    return step.run(batches, 0.05);
  };
  const dispose = async () => {
    await step.dispose();
    net.dispose();
  };
  return { step, names: tensors.map(([name]) => name), pulled, update, dispose };
}

describe('a compiled training step with averages', () => {
  it.each([1, 2])('follows the weights and buffers once an update, of %i batches', async (accumulate) => {
    const { names, pulled, update, dispose } = await createStep(accumulate);
    let wanted = await pulled('weights');
    const first = wanted;
    expect(await pulled('averages')).toEqual(wanted);
    for (let i = 0; i < 5; i++) {
      await update(i);
      const weights = await pulled('weights');
      wanted = wanted.map((values, k) =>
        values.map((value, at) => DECAY * value + (1 - DECAY) * weights[k]![at]!),
      );
    }
    const found = await pulled('averages');
    for (const [k, name] of names.entries()) {
      const gaps = found[k]!.map((value, at) => Math.abs(value - wanted[k]![at]!));
      expect(Math.max(...gaps), name).toBeLessThan(1e-6);
      const isFrozen = name.startsWith('hidden');
      expect(
        found[k]!.every((value, at) => value === first[k]![at]),
        name,
      ).toBe(isFrozen);
    }
    await dispose();
  });

  it.each([1, 2])('leaves the averages when an update is not made, of %i batches', async (accumulate) => {
    const { step, pulled, update, dispose } = await createStep(accumulate);
    await update(0);
    const [before, state] = [await pulled('averages'), await step.exportState()];
    expect((await update(1, true)).loss).toBeNaN();
    expect(await pulled('averages')).toEqual(before);
    expect(await step.exportState()).toEqual(state);
    await dispose();
  });

  it('goes on from a state to the same bits, and refuses one without averages', async () => {
    const { step, pulled, update, dispose } = await createStep(1);
    for (let i = 0; i < 2; i++) await update(i);
    const state = await step.exportState();
    const averages = await pulled('averages');
    expect(state.averages!.map(({ data }) => [...data])).toEqual(averages);
    await update(2);
    expect(await pulled('averages')).not.toEqual(averages);
    await step.importState(state);
    expect(await pulled('averages')).toEqual(averages);
    expect(await step.exportState()).toEqual(state);
    const { averages: _, ...without } = state;
    await expect(step.importState(without)).rejects.toThrow(/averages are missing/);
    await dispose();
  });

  it('has none unless it is asked for them', async () => {
    const weight = tf.variable(tf.scalar(1));
    const step = await compileTrainingStep({
      groups: [{ params: [['weight', weight]], weightDecay: 0 }],
      inputs: [{ shape: ['batch'] }],
      loss: ([x]) => ({ total: tf.mean(tf.mul(x!, weight)) as tf.Scalar }),
    });
    await expect(step.pull('averages')).rejects.toThrow('keeps no averages');
    expect(await step.exportState()).not.toHaveProperty('averages');
    await step.dispose();
    weight.dispose();
  });
});
