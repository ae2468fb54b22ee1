import { readFileSync } from 'node:fs';
import { createRng } from '@as-mlp/base';
import type { Mode, WeightEntry } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { type Backbone, createAsMlp } from './as-mlp.ts';
import { type AsMlpConfig, dropPathRates, type VARIANTS, variantConfig } from './config.ts';
import { inferArchitecture } from './infer.ts';

interface GoldenCase {
  config: { embed_dim: number; depths: [number, number, number, number]; shift_size: number };
  input_shape: [number, number, number, number];
  outputs: { shape: [number, number, number, number]; data: number[] }[];
}

const golden = JSON.parse(
  readFileSync(new URL('../golden/pyramid.json', import.meta.url), 'utf8'),
) as GoldenCase[];

/** Closed-form weights: any language can repeat them in float64 and round to float32. */
function closedForm(model: Backbone): Map<string, WeightEntry> {
  const entries = new Map<string, WeightEntry>();
  let t = 0;
  for (const [name, { shape, size }] of model.namedTensors()) {
    t += 1;
    const fanIn = size / shape[0]!;
    const value = (j: number) => {
      if (shape.length === 1 && name.endsWith('weight')) return 1 + 0.2 * Math.sin(0.7 * t + 0.31 * j);
      if (shape.length === 1) return 0.1 * Math.sin(0.5 * t + 0.23 * j);
      return Math.sin(1.3 * t + 0.0173 * j + 0.9 * Math.sin(0.37 * j)) * Math.sqrt(2 / fanIn);
    };
    const data = Float32Array.from({ length: size }, (_, j) => value(j));
    entries.set(name, { dtype: 'float32', shape, read: async () => data });
  }
  return entries;
}

function closedFormImage(shape: [number, number, number, number]): tf.Tensor4D {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = Float32Array.from({ length: size }, (_, j) => Math.sin(0.011 * j) + 0.5 * Math.cos(0.137 * j));
  return tf.tidy(() => tf.transpose(tf.tensor4d(data, shape), [0, 2, 3, 1]));
}

const small: AsMlpConfig = { embedDim: 8, depths: [1, 1, 1, 1], shiftSize: 5 };
const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

describe('createAsMlp', () => {
  it.each(golden.map((c) => [`width ${c.config.embed_dim}, images ${c.input_shape}`, c] as const))(
    'reproduces the pyramid: %s',
    async (_, { config, input_shape, outputs }) => {
      const { embed_dim: embedDim, depths, shift_size: shiftSize } = config;
      const model = createAsMlp({ embedDim, depths, shiftSize }, { out: 'pyramid' });
      await model.load(closedForm(model));
      tf.tidy(() => {
        const maps = model.forward(closedFormImage(input_shape));
        for (const [i, { shape, data }] of outputs.entries()) {
          const expected = tf.transpose(tf.tensor4d(data, shape), [0, 2, 3, 1]);
          expect(maps[i]!.shape).toEqual(expected.shape);
          // The plain engines sum in another order.
          const tolerance = tf.getBackend() === 'tensorflow' ? 1e-4 : 1e-3;
          expect(tf.max(tf.abs(tf.sub(maps[i]!, expected))).dataSync()[0]).toBeLessThan(tolerance);
        }
      });
      model.dispose();
    },
  );

  it('declares its features and keeps to them at odd sizes', () => {
    const model = createAsMlp(small, { out: 'pyramid' });
    expect(model.features).toEqual([
      { name: 'p2', channels: 8, stride: 4 },
      { name: 'p3', channels: 16, stride: 8 },
      { name: 'p4', channels: 32, stride: 16 },
      { name: 'p5', channels: 64, stride: 32 },
    ]);
    tf.tidy(() => {
      const shapes = model.forward(tf.zeros([2, 130, 70, 3])).map((map) => map.shape);
      expect(shapes).toEqual([
        [2, 33, 18, 8],
        [2, 17, 9, 16],
        [2, 9, 5, 32],
        [2, 5, 3, 64],
      ]);
    });
    model.dispose();
  });

  it('counts the published parameters', () => {
    const count = (name: keyof typeof VARIANTS) => createAsMlp(name, { out: 'pyramid' }).parameterCount();
    expect([count('tiny'), count('small'), count('base')]).toEqual([27_515_040, 48_827_040, 86_729_600]);
  });

  it('has the same values for the same seed, and others for another', () => {
    const sample = (seed: number) => {
      const model = createAsMlp(small, { out: 'final', seed });
      const [, parameter] = [...model.namedParameters()][0]!;
      const values = [...parameter.value.dataSync()];
      model.dispose();
      return values;
    };
    expect(sample(1)).toEqual(sample(1));
    expect(sample(1)).not.toEqual(sample(2));
  });

  it('freezes the patch embedding from 0 and whole stages from 2, norms never', () => {
    const trainable = (frozenStages: number) => {
      const model = createAsMlp({ ...small, frozenStages }, { out: 'pyramid' });
      const names = [...model.namedParameters()].filter(([, p]) => p.trainable).map(([name]) => name);
      return new Set(names.map((name) => /^(patch_embed|layers\.\d|norm\d)/.exec(name)![0]));
    };
    const all = [
      'patch_embed',
      'layers.0',
      'layers.1',
      'layers.2',
      'layers.3',
      'norm0',
      'norm1',
      'norm2',
      'norm3',
    ];
    expect(trainable(-1)).toEqual(new Set(all));
    expect(trainable(0)).toEqual(new Set(all.slice(1)));
    expect(trainable(1)).toEqual(new Set(all.slice(1)));
    expect(trainable(3)).toEqual(new Set(all.slice(3)));
  });

  it('drops paths in training only, from the given stream', () => {
    const model = createAsMlp({ ...small, dropPathRate: 0.9 }, { out: 'final' });
    const run = (mode: Mode) =>
      tf.tidy(() => [...model.forward(tf.ones([1, 32, 32, 3]), mode)[0]!.dataSync()]);
    const training = (seed: number) => run({ training: true, rng: createRng(seed) });
    expect(training(1)).toEqual(training(1));
    expect(training(1)).not.toEqual(run({ training: false }));
    expect(() => run({ training: true })).toThrow(/mode.rng/);
    model.dispose();
  });

  it.each([
    [{ shiftPadding: 'circular' }],
    [{ shiftPadding: 'reflect' }],
    [{ shiftPadding: 'replicate' }],
    [{ shiftDilation: 2 }],
    [{ shiftConnection: 'serial' }],
    [{ shiftSize: [5, 1] }],
    [{ shiftSize: [1, 5] }],
    [{ shiftSize: 1 }],
    [{ shiftSize: 9 }],
  ] as [Partial<AsMlpConfig>][])('runs the ablation %o on the same weights', (change) => {
    const run = (config: AsMlpConfig) => {
      const model = createAsMlp(config, { out: 'final' });
      const values = tf.tidy(() => model.forward(closedFormImage([1, 3, 64, 96]))[0]!.dataSync());
      model.dispose();
      return values;
    };
    const changed = run({ ...small, ...change });
    expect(changed.every(Number.isFinite)).toBe(true);
    expect(changed).not.toEqual(run(small));
  });

  it('refuses images and architectures that do not fit', () => {
    const model = createAsMlp(small, { out: 'final' });
    const images = tf.zeros<tf.Rank.R4>([1, 8, 8, 4]);
    expect(() => model.forward(images)).toThrow(/\[1,8,8,4\]/);
    images.dispose();
    expect(() => createAsMlp({ ...small, depths: [1, 1, 0, 1] }, { out: 'final' })).toThrow(/depths/);
    expect(() => variantConfig('as-mlp-tny')).toThrow(/Did you mean as-mlp-tiny/);
    model.dispose();
  });
});

describe('inferArchitecture', () => {
  it('reads a configuration back from the shapes', () => {
    const config: AsMlpConfig = { embedDim: 6, depths: [2, 1, 3, 1], shiftSize: 3, mlpRatio: 2 };
    for (const out of ['pyramid', 'final'] as const) {
      const shapes = new Map(
        [...createAsMlp(config, { out }).namedTensors()].map(([k, v]) => [`backbone.${k}`, v]),
      );
      const { shiftSize: _, ...visible } = config;
      expect(inferArchitecture(shapes, { prefix: 'backbone.' })).toEqual({ config: visible, out });
    }
  });

  it('names what is missing', () => {
    expect(() => inferArchitecture(new Map([['conv1.weight', { shape: [64, 3, 7, 7] }]]))).toThrow(
      /conv1.weight/,
    );
    const shapes = new Map([...createAsMlp(small, { out: 'final' }).namedTensors()]);
    for (const name of shapes.keys()) if (name.startsWith('layers.3.')) shapes.delete(name);
    expect(() => inferArchitecture(shapes)).toThrow(/stage 3 .*is missing/);
  });
});

describe('dropPathRates', () => {
  it('is the float32 linspace', () => {
    const rates = JSON.parse(readFileSync(new URL('../golden/drop-path.json', import.meta.url), 'utf8')) as {
      rate: number;
      depths: number[];
      per_block: number[];
    }[];
    for (const { rate, depths, per_block } of rates) {
      expect(
        dropPathRates(
          rate,
          depths.reduce((a, b) => a + b),
        ),
      ).toEqual(per_block);
    }
  });
});
