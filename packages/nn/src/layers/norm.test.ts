import { createRng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectClose, golden, type Nchw, nhwc } from '../golden.fixture.ts';
import { INFERENCE } from '../mode.ts';
import { BatchNorm } from './norm.ts';

type State = Readonly<Record<string, number | readonly number[]>>;
interface Case {
  readonly before: State;
  readonly input: Nchw;
  readonly eval_output: Nchw;
  readonly train_output: Nchw;
  readonly after: State;
}
const { cases, atol } = golden<{ cases: readonly Case[]; atol: number }>('seg-unit/batch_norm.json');

describe('batch norm', () => {
  it.each(cases)('of $input.shape uses running or batch statistics, and tracks these', async (one) => {
    const norm = new BatchNorm(one.input.shape[1]);
    for (const [name, parameter] of norm.namedTensors()) {
      parameter.assign(Float32Array.from([one.before[name]!].flat()));
    }
    tf.tidy(() => {
      const close = (actual: tf.Tensor, expected: Nchw) =>
        expectClose(actual.dataSync(), nhwc(expected).dataSync(), atol);
      close(norm.forward(nhwc(one.input), INFERENCE), one.eval_output);
      close(norm.forward(nhwc(one.input), { training: true }), one.train_output);
    });
    for (const { name, data } of await norm.stateDict()) {
      expectClose(data, [one.after[name]!].flat(), atol);
    }
    expect(Object.keys(one.after)).toHaveLength(5);
    norm.dispose();
  });

  it('keeps to its running statistics when it is frozen', () => {
    const norm = new BatchNorm(2).initialize(createRng(0));
    norm.freeze();
    tf.tidy(() => {
      const x = tf.randomNormal<tf.Rank.R4>([2, 3, 3, 2], 5);
      const trained = norm.forward(x, { training: true }).dataSync();
      expect([...trained]).toEqual([...norm.forward(x, INFERENCE).dataSync()]);
      expect([...norm.runningMean.value.dataSync()]).toEqual([0, 0]);
    });
    norm.dispose();
  });
});
