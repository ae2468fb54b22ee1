import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { openLossFixture } from './losses.fixture.ts';

const folders = ['mask-rcnn', 'cascade-mask-rcnn'].map((name) =>
  fileURLToPath(new URL(`../../golden/loss/${name}`, import.meta.url)),
);

/** Relative; absolute below 1. Single precision in another order: 2e-5 was seen. */
const LOSS_TOLERANCE = 1e-4;
/** Relative. A ReLU or a proposal at the edge may fall to the other side: 6e-4 was seen. */
const GRADIENT_TOLERANCE = 2e-3;

describe('detectionLosses', async () => {
  for (const folder of folders) {
    const { model, cases, run } = await openLossFixture(folder);
    afterAll(() => model.dispose());
    const name = folder.split('/').at(-1)!;
    const runs = cases.flatMap((one) =>
      ['given', 'own'].map((proposals) => [name, one.sampler, proposals, one] as const),
    );

    it.each(runs)(
      '%s, sampler %s, %s proposals: losses, gradients and running statistics of the reference',
      async (_name, sampler, proposals, expected) => {
        const before = tf.memory().numTensors;
        const { losses, gradNorms, running } = await run(sampler, proposals === 'own');
        expect(tf.memory().numTensors).toBe(before);

        expect(Object.keys(losses).sort()).toEqual(Object.keys(expected.losses).sort());
        for (const [key, value] of Object.entries(expected.losses)) {
          expect(Math.abs(losses[key]! - value), key).toBeLessThanOrEqual(
            LOSS_TOLERANCE * Math.max(1, value),
          );
        }
        expect(Object.keys(gradNorms).sort()).toEqual(Object.keys(expected.grad_norm_tensors).sort());
        for (const [module, value] of Object.entries(expected.grad_norms)) {
          const own = Object.entries(gradNorms).filter(([key]) => key.startsWith(`${module}.`));
          const norm = Math.hypot(...own.map(([, one]) => one));
          expect(Math.abs(norm - value) / value, module).toBeLessThanOrEqual(GRADIENT_TOLERANCE);
        }
        for (const [key, { probe_index, probe }] of Object.entries(expected.bn_after)) {
          probe.forEach((value, i) => {
            expect(Math.abs(running[key]![probe_index[i]!]! - value), key).toBeLessThanOrEqual(
              1e-4 * Math.max(1, Math.abs(value)),
            );
          });
        }
      },
    );
  }
});
