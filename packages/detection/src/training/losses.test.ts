import { fileURLToPath } from 'node:url';
import { createRng } from '@as-mlp/base';
import { openEngine } from '@as-mlp/engine';
import { eagerLoss, trainableVariables } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, describe, expect, it } from 'vitest';
import { createDetectionModel } from '../model.ts';
import { batchTensors } from './batch.ts';
import { CHOOSERS } from './choose.fixture.ts';
import { detectionHost } from './host-part.ts';
import { type LossCase, openLossFixture } from './losses.fixture.ts';
import { DETECTION_INPUTS, lossOf } from './losses.ts';
import { TRAINING } from './settings.ts';

const folders = ['mask-rcnn', 'cascade-mask-rcnn'].map((name) =>
  fileURLToPath(new URL(`../../golden/loss/${name}`, import.meta.url)),
);

/** Relative; absolute below 1. Single precision in another order: 2e-5 was seen. */
const LOSS_TOLERANCE = 1e-4;
/** Relative. A ReLU or a proposal at the edge may fall to the other side: 6e-4 was seen. */
const GRADIENT_TOLERANCE = 2e-3;

const engine = await openEngine({ log: () => undefined });

function expectLosses(losses: Readonly<Record<string, number>>, expected: LossCase): void {
  expect(Object.keys(losses).sort()).toEqual(Object.keys(expected.losses).sort());
  for (const [key, value] of Object.entries(expected.losses)) {
    expect(Math.abs(losses[key]! - value), key).toBeLessThanOrEqual(LOSS_TOLERANCE * Math.max(1, value));
  }
}

function expectRunning(running: Readonly<Record<string, Float32Array>>, expected: LossCase): void {
  for (const [key, { probe_index, probe }] of Object.entries(expected.bn_after)) {
    probe.forEach((value, i) => {
      expect(Math.abs(running[key]![probe_index[i]!]! - value), key).toBeLessThanOrEqual(
        1e-4 * Math.max(1, Math.abs(value)),
      );
    });
  }
}

describe('detectionLosses', async () => {
  for (const folder of folders) {
    const { model, cases, run, runCompiled } = await openLossFixture(folder);
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

        expectLosses(losses, expected);
        expect(Object.keys(gradNorms).sort()).toEqual(Object.keys(expected.grad_norm_tensors).sort());
        for (const [module, value] of Object.entries(expected.grad_norms)) {
          const own = Object.entries(gradNorms).filter(([key]) => key.startsWith(`${module}.`));
          const norm = Math.hypot(...own.map(([, one]) => one));
          expect(Math.abs(norm - value) / value, module).toBeLessThanOrEqual(GRADIENT_TOLERANCE);
        }
        expectRunning(running, expected);
      },
    );

    it
      .skipIf(!engine.compileTrainingStep)
      .each(runs.filter(([, sampler, proposals]) => sampler === 'even' && proposals === 'own'))(
      '%s, sampler %s, %s proposals: the same compiled',
      async (_name, sampler, proposals, expected) => {
        const { gradNorms } = await run(sampler, proposals === 'own');
        const found = await runCompiled(engine.compileTrainingStep!, sampler, proposals === 'own');
        expectLosses(found.losses, expected);
        expectRunning(found.running, expected);
        const norm = Math.hypot(...Object.values(gradNorms));
        expect(Math.abs(found.gradNorm - norm) / norm).toBeLessThanOrEqual(GRADIENT_TOLERANCE);
      },
      60_000,
    );
  }

  it.each(['mask-rcnn', 'cascade-mask-rcnn'] as const)('%s learns from an image without objects', (kind) => {
    const widths = { channels: 8, rpnChannels: 8, boxConvChannels: 8, boxFcChannels: 8, maskChannels: 8 };
    const model = createDetectionModel(`${kind}-as-mlp-nano`, { numClasses: 3, dropPathRate: 0, ...widths });
    const side = { height: 64, width: 64 };
    const variables = [...trainableVariables(model)];
    // Parameters take memory when they are first used.
    for (const [, { value }] of model.namedTensors()) value.shape;
    const before = tf.memory().numTensors;
    const tensors = batchTensors({
      images: new Float32Array(64 * 64 * 3).fill(1),
      size: side,
      extents: [{ image: side, padded: side }],
      targets: [{ boxes: new Float32Array(0), labels: new Int32Array(0), masks: [] }],
      names: ['empty'],
    });
    const settings = TRAINING[kind];
    const chooser = () => CHOOSERS.first;
    const host = detectionHost({ config: model.config, strides: model.neck.strides, settings, chooser });
    const task = { loss: lossOf(model, settings), inputs: DETECTION_INPUTS, host };
    const found: Record<string, number> = {};
    const { value, grads } = tf.variableGrads(
      () => {
        const { total, parts } = eagerLoss(task, { tensors, rng: createRng(0) }, true);
        for (const [name, part] of Object.entries(parts!)) found[name] = part.dataSync()[0]!;
        return total;
      },
      variables.map(([, variable]) => variable),
    );
    for (const [name, loss] of Object.entries(found)) {
      if (name.endsWith('cls')) expect(loss, name).toBeGreaterThan(0);
      else expect(loss, name).toBe(0);
    }
    // Every weight has a gradient, so that the optimiser treats all of them alike.
    for (const [name, variable] of variables) {
      expect(grads[variable.name]!.dataSync().every(Number.isFinite), name).toBe(true);
    }
    tf.dispose([value, grads]);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});
