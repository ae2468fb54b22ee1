import { createAsMlp } from '@as-mlp/backbone';
import { createRng } from '@as-mlp/base';
import { type Compile, Conv2d, GroupNorm, gelu, type InputSpec, type TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { findNative } from '../installed.ts';
import { castProducts } from './cast-products.ts';
import { recordProgram } from './compile.ts';
import { fuseForRuntime } from './runtime-kernels.ts';
import type { ValueId } from './trace.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

const MAP = ['batch', 'height', 'width', 4] as const;
const IMAGES = ['batch', 'height', 'width', 3] as const;
const rng = createRng(5);

const pointwise = () => new Conv2d({ inChannels: 4, outChannels: 4, kernelSize: 1 }).initialize(rng);

/** Each kernel with the types of `x` and of what it makes: `f` for float32, `b` for bfloat16. */
function kernels(fn: TensorFunction, shape: InputSpec['shape'] = MAP): string[] {
  const program = castProducts(fuseForRuntime(recordProgram((tensors) => fn(...tensors), [{ shape }])));
  const constants = new Set(program.constants.map(({ id }) => id));
  const type = (id: ValueId) => program.values[id]!.dtype[0];
  return program.kernels
    .filter(({ name, inputs }) => name !== 'Cast' || !constants.has(inputs.x as ValueId))
    .map(({ name, inputs, outputs }) => `${name} ${type(inputs.x as ValueId)}${type(outputs[0]!)}`);
}

describe.skipIf(missing)('castProducts', () => {
  let compile: Compile;

  beforeAll(async () => {
    ({ compile } = await openEngine({ engine: 'native', device: 'cpu', log: () => undefined }));
  });

  it('casts no map of the network, and keeps both ends and the residual sums in float32', () => {
    const backbone = createAsMlp('nano', { out: 'final' });
    const head = new Conv2d({ inChannels: 128, outChannels: 10, kernelSize: 1 }).initialize(rng);
    const fn: TensorFunction = (x) => head.forward(backbone.forward(x as tf.Tensor4D)[0]!);
    const found = kernels(fn, ['batch', 64, 96, 3]);
    const count = (name: string) => found.filter((one) => one === name).length;
    // Five blocks of six products, and three times merging. In a block the first product, the MLP's first and the sum of
    // the two branches are bfloat16, and so is the last residual sum, which a norm alone reads.
    expect([count('Product bb'), count('Epilogue bb'), count('Epilogue bf')]).toEqual([33, 16, 17]);
    expect(count('Linear ff')).toBe(2);
    // Those of the residual sums, at merging too; those inside the mixers; the one after the stem, and the last.
    expect(['fb', 'bb', 'ff', 'bf'].map((types) => count(`GroupNorm ${types}`))).toEqual([13, 10, 1, 1]);
    expect(count('AxialShift bb')).toBe(10);
    expect(found.filter((one) => one.startsWith('Cast'))).toEqual([]);
    backbone.dispose();
    head.dispose();
  });

  it('stays close to float32 for all sizes, and gives float32', async () => {
    const backbone = createAsMlp({ embedDim: 8, depths: [1, 1, 2, 1], shiftSize: 3 }, { out: 'pyramid' });
    for (const [name, parameter] of backbone.namedParameters()) {
      if (name.includes('norm')) parameter.assign(rng.normal(parameter.size));
    }
    const fn = (x: tf.Tensor) => backbone.forward(x as tf.Tensor4D);
    const plain = await compile(fn, { inputs: [{ shape: IMAGES }] });
    const cast = await compile(fn, { inputs: [{ shape: IMAGES }], precision: 'bf16' });
    for (const shape of [
      [1, 64, 64, 3],
      [3, 71, 106, 3],
      [2, 33, 160, 3],
    ]) {
      const x = tf.tensor(rng.normal(shape.reduce((a, b) => a * b)), shape);
      const [wanted, got] = [await plain(x), await cast(x)];
      for (const [i, map] of got.entries()) {
        expect([map.dtype, map.shape]).toEqual(['float32', wanted[i]!.shape]);
        const error = await relativeError(map, wanted[i]!);
        // A number is rounded to 9 binary digits some five times in each of the residual branches: errors of 0.1 % (rms),
        // which add up as the root of their number to 1 %. A float32 graph would be within 1e-6.
        expect(error).toBeLessThan(2e-2);
        expect(error).toBeGreaterThan(1e-4);
      }
      tf.dispose([x, wanted, got]);
    }
    await Promise.all([plain.dispose(), cast.dispose()]);
    backbone.dispose();
  });

  it('leaves a single product, and one before and one after, as they are', () => {
    const [first, last] = [pointwise(), pointwise()];
    expect(kernels((x) => first.forward(x as tf.Tensor4D))).toEqual(['Linear ff']);
    const two = (x: tf.Tensor) => last.forward(gelu(first.forward(x as tf.Tensor4D)));
    expect(kernels(two)).toEqual(['Linear ff', 'Linear ff']);
  });

  it('casts a map where something else makes or reads it', async () => {
    const [first, inner, last] = [pointwise(), pointwise(), pointwise()];
    const norm = new GroupNorm(4).initialize(rng);
    const mixed = (x: tf.Tensor) => {
      const y = tf.relu(norm.forward(first.forward(x as tf.Tensor4D)));
      return last.forward(tf.relu(inner.forward(y)));
    };
    expect(kernels(mixed)).toEqual([
      'Linear ff',
      'GroupNorm ff',
      'Relu ff',
      'Cast fb',
      'Product bb',
      'Epilogue bf',
      'Relu ff',
      'Linear ff',
    ]);
    const both = (x: tf.Tensor) => {
      const y = norm.forward(first.forward(x as tf.Tensor4D));
      return [last.forward(inner.forward(y)), y];
    };
    expect(kernels(both)).toContain('GroupNorm ff');
    expect(kernels(both)).toContain('Cast fb');
    const compiled = await compile(both, { inputs: [{ shape: MAP }], precision: 'bf16' });
    const x = tf.tensor(rng.normal(2 * 5 * 7 * 4), [2, 5, 7, 4]);
    const [got, wanted] = [await compiled(x), tf.tidy(() => both(x))];
    expect(await relativeError(got[0]!, wanted[0]!)).toBeLessThan(2e-2);
    expect(await relativeError(got[1]!, wanted[1]!)).toBeLessThan(1e-5);
    tf.dispose([x, got, wanted]);
    await compiled.dispose();
  });
});

/** Root mean square of the difference, of that of `wanted`. */
async function relativeError(got: tf.Tensor, wanted: tf.Tensor): Promise<number> {
  const ratio = tf.tidy(() =>
    tf.sqrt(tf.div(tf.sum(tf.square(tf.sub(got, wanted))), tf.sum(tf.square(wanted)))),
  );
  const [value] = await ratio.data();
  ratio.dispose();
  return value!;
}
