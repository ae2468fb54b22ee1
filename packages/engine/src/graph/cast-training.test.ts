import { createAsMlp } from '@as-mlp/backbone';
import { createRng } from '@as-mlp/base';
import { Conv2d, crossEntropy, type Precision } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { castTraining } from './cast-training.ts';
import type { ProgramKernel } from './program.ts';
import { recomputeCheap } from './recompute.ts';
import { recordStep } from './record-step.ts';
import { fuseForRuntime } from './runtime-kernels.ts';
import type { ValueId } from './trace.ts';
import { compileTrainingStep } from './training.ts';

const SIDE = 48;
const CLASSES = 5;
const UPDATES = 12;

let isThere = false;
beforeAll(async () => {
  isThere = await openEngine({ engine: 'native', device: 'cpu', log: () => undefined }).then(
    () => true,
    () => false,
  );
});
beforeEach(({ skip }) => {
  if (!isThere) skip('no native engine here');
});

/** A classifier on a small backbone. */
function createNet() {
  const rng = createRng(3);
  const backbone = createAsMlp({ embedDim: 8, depths: [1, 1, 1, 1], shiftSize: 3 }, { out: 'final' });
  const head = new Conv2d({ inChannels: 64, outChannels: CLASSES, kernelSize: 1 }).initialize(rng);
  const modules = [backbone, head];
  const params = modules.flatMap((module, i) =>
    [...module.namedParameters()].map(([name, { value }]) => [`${i}.${name}`, value] as const),
  );
  const loss = ([images, labels]: tf.Tensor[]) => {
    const map = head.forward(backbone.forward(images as tf.Tensor4D)[0]!);
    const logits = tf.mean(map, [1, 2]) as tf.Tensor2D;
    return { total: crossEntropy(logits, labels as tf.Tensor1D) as tf.Scalar };
  };
  return {
    groups: [{ params, weightDecay: 0 }],
    inputs: [{ shape: ['batch', SIDE, SIDE, 3] }, { shape: ['batch'], dtype: 'int32' as const }] as const,
    loss,
    dispose: () => {
      for (const module of modules) module.dispose();
    },
  };
}

/** Pictures whose classes are their mean colours. */
function createBatch(seed: number) {
  const rng = createRng(seed);
  const labels = Int32Array.from({ length: 8 }, () => rng.int(CLASSES));
  const pixels = rng.normal(8 * SIDE * SIDE * 3);
  const data = pixels.map((value, i) => value + labels[Math.floor(i / (SIDE * SIDE * 3))]! - CLASSES / 2);
  return [
    { shape: [8, SIDE, SIDE, 3], data },
    { shape: [8], data: labels },
  ];
}

async function train(precision: Precision) {
  const net = createNet();
  const step = await compileTrainingStep({ ...net, precision });
  const reports = [];
  for (let i = 0; i < UPDATES; i++) {
    reports.push(await step.run([{ tensors: createBatch(i), rng: createRng(i) }], 2e-3));
  }
  const { moments } = await step.exportState();
  await step.dispose();
  net.dispose();
  return { reports, moments };
}

describe('castTraining', () => {
  it('rounds what every product multiplies, forward and backward, once for each map', () => {
    const net = createNet();
    const { program } = recordStep(net);
    const fused = fuseForRuntime(program);
    const cast = recomputeCheap(castTraining(fused));
    const dtype = (id: ValueId) => cast.values[id]!.dtype;
    const inputs = ({ inputs }: ProgramKernel) => Object.values(inputs).flat();
    const count = (name: string) => fused.kernels.filter((kernel) => kernel.name === name).length;
    const named = (name: string) => cast.kernels.filter((kernel) => kernel.name === name);
    expect(named('Linear')).toEqual([]);
    expect(named('Product')).toHaveLength(count('Linear'));
    expect(named('BatchMatMul')).toHaveLength(count('BatchMatMul'));
    for (const product of [...named('Product'), ...named('BatchMatMul')]) {
      expect([...inputs(product), ...product.outputs].map(dtype)).toEqual(Array(3).fill('bfloat16'));
    }
    expect(named('Epilogue').map(({ outputs }) => dtype(outputs[0]!))).toEqual(
      Array(count('Linear')).fill('float32'),
    );
    expect(cast.outputs.map(dtype)).toEqual(program.outputs.map(() => 'float32'));
    const rounded = named('Cast')
      .filter(({ outputs, after }) => dtype(outputs[0]!) === 'bfloat16' && after === undefined)
      .map((kernel) => inputs(kernel)[0]!);
    expect(new Set(rounded).size).toBe(rounded.length);
    net.dispose();
  });

  it('trains as float32 does, within what rounding costs', async () => {
    const [wide, narrow] = [await train('float32'), await train('bf16')];
    for (const [i, { loss, gradNorm }] of narrow.reports.entries()) {
      const wanted = wide.reports[i]!;
      expect(Math.abs(loss / wanted.loss - 1)).toBeLessThan(0.01);
      expect(Math.abs(gradNorm / wanted.gradNorm - 1)).toBeLessThan(0.03);
    }
    expect(narrow.reports[0]!.loss).not.toBe(wide.reports[0]!.loss);
    expect(narrow.reports.at(-1)!.loss).toBeLessThan(0.9 * narrow.reports[0]!.loss);
    // What is kept from update to update is float32: more digits than bfloat16 has.
    const exact = narrow.moments.flatMap(({ data }) => [...data]).filter((value) => value !== 0);
    const bits = new Uint32Array(Float32Array.from(exact).buffer);
    expect(bits.filter((word) => (word & 0xffff) !== 0).length).toBeGreaterThan(0.9 * bits.length);
  });
});
