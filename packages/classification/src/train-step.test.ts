import { readFileSync } from 'node:fs';
import { createRng, type Rng } from '@as-mlp/base';
import {
  bytesSource,
  createAdamW,
  crossEntropy,
  INFERENCE,
  type Mode,
  openWeights,
  splitDecay,
} from '@as-mlp/nn';
import { type StepResult, trainStep } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { ClassificationModel } from './model.ts';

/** Figures of one tensor in the official layout. */
interface Figures {
  readonly l2: number;
  /** Σ p[i]·cos(0.1·i + 0.3) over the flat tensor. */
  readonly probe: number;
}

interface Step {
  readonly lr: number;
  readonly loss: number;
  readonly grad_norm_before_clip: number;
  readonly parameters: Readonly<Record<string, Figures>>;
}

interface GoldenRun {
  readonly steps: readonly Step[];
  readonly eval_loss_after: number;
  /** `keep[block][step][0 after the shift, 1 after the MLP][sample]`. */
  readonly keep?: Readonly<Record<string, readonly (readonly (readonly number[])[])[]>>;
  readonly rates?: Readonly<Record<string, number>>;
}

const golden = (name: string) => readFileSync(new URL(`../golden/train_step/${name}`, import.meta.url));
const expected: {
  config: { embed_dim: number; shift_size: number; num_classes: number };
  inputs: {
    mixed: { shape: [number, number, number, number] };
    soft_targets: { shape: [number, number]; data: number[] };
  };
  optimiser: { weight_decay: number; max_norm: number };
  tolerance: { grad_norm_rtol: number; param_l2_rtol: number };
  runs: { plain: GoldenRun; drop_path_gates: GoldenRun };
} = JSON.parse(golden('expected.json').toString());

const LOSS_ATOL = 1e-4;

/** Random numbers that make stochastic depth keep what `flags` keep: one call for each of its draws, in order. */
function prescribed(flags: readonly (readonly number[])[]): Rng & { readonly left: () => number } {
  const draws = [...flags];
  const uniform = (count: number) => {
    const flag = draws.shift();
    if (flag?.length !== count) throw new Error(`a draw of ${count} numbers was not expected`);
    // floor(keep + u) is 0 for u = 0 and 1 for u just below 1.
    return Float32Array.from(flag, (kept) => (kept ? 0.999 : 0));
  };
  return Object.assign(createRng(0), { uniform, left: () => draws.length });
}

/** The keep flags of one step in the order of the draws; the first block has rate 0 and draws nothing. */
function flagsOf(run: GoldenRun, step: number): (readonly number[])[] {
  return Object.entries(run.keep ?? {}).flatMap(([block, steps]) =>
    run.rates![block] === 0 ? [] : steps[step]!,
  );
}

function figures(data: Float32Array): Figures {
  let [squares, probe] = [0, 0];
  data.forEach((value, i) => {
    squares += value * value;
    probe += value * Math.cos(0.1 * i + 0.3);
  });
  return { l2: Math.sqrt(squares), probe };
}

describe.each(['plain', 'drop_path_gates'] as const)('three official training steps, %s', (name) => {
  const run = expected.runs[name];
  const results: StepResult[] = [];
  const parameters: Record<string, Figures>[] = [];
  let lossAfter = Number.NaN;
  let drawsLeft = 0;

  beforeAll(async () => {
    const { embed_dim: embedDim, shift_size: shiftSize, num_classes: numClasses } = expected.config;
    const dropPathRate = name === 'plain' ? 0 : 0.3;
    const model = new ClassificationModel({
      embedDim,
      depths: [1, 1, 1, 1],
      shiftSize,
      numClasses,
      dropPathRate,
    });
    const weights = await openWeights(bytesSource('initial.safetensors', golden('initial.safetensors')));
    await model.load(weights.entries);

    const bytes = golden('mixed.bin');
    const pixels = new Float32Array(new Uint8Array(bytes).buffer);
    const images = tf.tidy(
      () => tf.transpose(tf.tensor4d(pixels, expected.inputs.mixed.shape), [0, 2, 3, 1]) as tf.Tensor4D,
    );
    const targets = tf.tensor2d(expected.inputs.soft_targets.data, expected.inputs.soft_targets.shape);
    const lossOf = (mode: Mode) => crossEntropy(model.forward(images, mode), targets);

    const { decay, noDecay } = splitDecay(model.namedParameters(), 'classification');
    const variables = (group: typeof decay) => group.map(([key, { value }]) => [key, value] as const);
    const { weight_decay: weightDecay, max_norm: clipNorm } = expected.optimiser;
    const optimizer = createAdamW([
      { params: variables(decay), weightDecay },
      { params: variables(noDecay), weightDecay: 0 },
    ]);
    for (const [step, { lr: learningRate }] of run.steps.entries()) {
      const rng = prescribed(flagsOf(run, step));
      const loss = () => ({ total: lossOf({ training: true, rng }) });
      results.push(trainStep(model, loss, optimizer, { learningRate, clipNorm }));
      drawsLeft += rng.left();
      const state = await model.stateDict();
      parameters.push(Object.fromEntries(state.map(({ name: key, data }) => [key, figures(data)])));
    }
    const after = tf.tidy(() => lossOf(INFERENCE));
    lossAfter = (await after.data())[0]!;
    tf.dispose([after, images, targets]);
    optimizer.dispose();
    model.dispose();
  });

  it('have the losses of PyTorch', () => {
    expect(results).toHaveLength(3);
    run.steps.forEach(({ loss }, step) => {
      expect(Math.abs(results[step]!.loss - loss), `step ${step}`).toBeLessThan(LOSS_ATOL);
    });
    expect(Math.abs(lossAfter - run.eval_loss_after)).toBeLessThan(LOSS_ATOL);
  });

  it('use every prescribed draw of stochastic depth', () => {
    expect(drawsLeft).toBe(0);
  });

  it('have the gradient norms of PyTorch', () => {
    run.steps.forEach(({ grad_norm_before_clip: norm }, step) => {
      const difference = Math.abs(results[step]!.gradNorm - norm);
      expect(difference, `step ${step}`).toBeLessThan(expected.tolerance.grad_norm_rtol * norm);
    });
  });

  it('leave the parameters of PyTorch', () => {
    let lrSum = 0;
    run.steps.forEach(({ parameters: official, lr }, step) => {
      lrSum += lr;
      expect(Object.keys(parameters[step]!)).toEqual(Object.keys(official));
      for (const [key, { l2, probe }] of Object.entries(official)) {
        const actual = parameters[step]![key]!;
        expect(Math.abs(actual.l2 - l2), `l2 of ${key} after step ${step}`).toBeLessThanOrEqual(
          expected.tolerance.param_l2_rtol * l2,
        );
        expect(Math.abs(actual.probe - probe), `probe of ${key} after step ${step}`).toBeLessThanOrEqual(
          2e-3 * l2 + 2 * lrSum,
        );
      }
    });
  });
});
