import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { goldenPath } from '../golden.fixture.ts';
import { openLossFixture } from './losses.fixture.ts';

/** Relative. Single precision in another order: 1e-6 was seen. */
const LOSS_TOLERANCE = 1e-4;
/** Relative. A ReLU at the edge may fall to the other side. */
const GRADIENT_TOLERANCE = 2e-3;

const relative = (actual: number, expected: number) => Math.abs(actual - expected) / Math.abs(expected);

describe('segmentationLosses', async () => {
  const { model, runs, run } = await openLossFixture(goldenPath('loss'), 'weights.safetensors');
  afterAll(() => model.dispose());

  it.each([
    ['train_bn_dropout', true],
    ['eval_bn', false],
  ])('%s: losses, gradients and running statistics of the reference', async (name, training) => {
    const expected = runs[name]!;
    await run(expected, training);
    const before = tf.memory().numTensors;
    const { losses, gradNorms, running } = await run(expected, training);
    expect(tf.memory().numTensors).toBe(before);

    for (const [key, value] of Object.entries(losses)) {
      expect(relative(value, expected.losses[key]!), key).toBeLessThanOrEqual(LOSS_TOLERANCE);
    }
    expect(Object.keys(gradNorms).sort()).toEqual(Object.keys(expected.grad_norm_by_parameter).sort());
    for (const [module, norm] of Object.entries(expected.grad_norm_by_module)) {
      const own = Object.entries(gradNorms).filter(([key]) => key.startsWith(`${module}.`));
      expect(relative(Math.hypot(...own.map(([, one]) => one)), norm), module).toBeLessThanOrEqual(
        GRADIENT_TOLERANCE,
      );
    }
    for (const [key, sums] of Object.entries(expected.running_after ?? {})) {
      if (key.endsWith('num_batches_tracked')) continue;
      for (const [kind, value] of Object.entries(sums)) {
        const got = running[key]![kind as keyof typeof sums];
        expect(Math.abs(got - value), `${kind} of ${key}`).toBeLessThanOrEqual(1e-4 * Math.max(1, sums.l2));
      }
    }
  });
});
