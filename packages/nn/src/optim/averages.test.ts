import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Averages, createAverages } from './averages.ts';

describe('createAverages', () => {
  let before: number;
  let variable: tf.Variable;
  let averages: Averages;
  const start = [0.5, -2, 3];

  beforeEach(() => {
    before = tf.memory().numTensors;
    variable = tf.tidy(() => tf.variable(tf.tensor1d(start)));
    averages = createAverages({ decay: 0.9, variables: [['a', variable]] });
  });
  afterEach(() => {
    averages.dispose();
    variable.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  const set = (values: readonly number[]) => tf.tidy(() => variable.assign(tf.tensor1d([...values])));
  const inVariable = () => [...variable.dataSync()];

  it('starts as a copy and follows slowly', async () => {
    let wanted = start;
    for (let i = 1; i <= 5; i++) {
      const values = [i, -i, i * i];
      set(values);
      averages.update();
      wanted = wanted.map((value, k) => 0.9 * value + 0.1 * values[k]!);
    }
    const [found] = await averages.exportState();
    for (const [k, value] of wanted.entries()) expect(found!.data[k]).toBeCloseTo(value, 6);
    expect(inVariable()).toEqual([5, -5, 25]);
  });

  it('is put into the variables and taken out again', () => {
    set([1, 1, 1]);
    averages.put('averages');
    averages.put('averages');
    expect(inVariable()).toEqual(start);
    averages.put('weights');
    expect(inVariable()).toEqual([1, 1, 1]);
    averages.put('averages');
    averages.update();
    expect(inVariable()).toEqual([1, 1, 1]);
  });

  it('stays exactly where the weights stay', async () => {
    const still = createAverages({ decay: 0.9999, variables: [['a', variable]] });
    for (let i = 0; i < 100; i++) still.update();
    const [found] = await still.exportState();
    expect([...found!.data]).toEqual(start);
    still.dispose();
  });

  it('refuses what are not its averages and changes nothing', async () => {
    const state = await averages.exportState();
    expect(() => averages.importState([])).toThrow(/1 averages are missing .* first a\b/);
    expect(() => averages.importState([...state, { ...state[0]!, name: 'b' }])).toThrow(/1 belong to no/);
    expect(await averages.exportState()).toEqual(state);
  });
});
