import { createAsMlp } from '@as-mlp/backbone';
import { createRng } from '@as-mlp/base';
import { BatchNorm, Conv2d, GroupNorm, gelu, type InputSpec, type TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { encodeGraphDef } from '../graph-def.ts';
import { openGraphSession } from '../graph-session.ts';
import { findNative } from '../installed.ts';
import { compileForTensorFlow, recordProgram } from './compile.ts';
import { lowerToTensorFlow } from './lower.ts';
import { recogniseLayers } from './recognise.ts';
import { fuseForRuntime } from './runtime-kernels.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

const MAP = ['batch', 'height', 'width', 4] as const;
const rng = createRng(3);

const fused = (fn: TensorFunction, shape: InputSpec['shape'] = MAP) =>
  fuseForRuntime(recordProgram((tensors) => fn(...tensors), [{ shape }])).kernels;
const names = (fn: TensorFunction, shape: InputSpec['shape'] = MAP) =>
  fused(fn, shape).map(({ name, attrs, inputs }) =>
    [name, attrs.activation, 'residual' in inputs && 'residual'].filter(Boolean).join(' '),
  );

function pointwise(): Conv2d {
  return new Conv2d({ inChannels: 4, outChannels: 4, kernelSize: 1 }).initialize(rng);
}

/** Four blocks of two shifts, with gains and biases of norms that show. */
function network() {
  const backbone = createAsMlp({ embedDim: 6, depths: [1, 1, 1, 1], shiftSize: 3 }, { out: 'final' });
  for (const [name, parameter] of backbone.namedParameters()) {
    if (name.includes('norm')) parameter.assign(rng.normal(parameter.size));
  }
  return backbone;
}

describe.skipIf(missing)('fuseForRuntime', () => {
  beforeAll(async () => {
    await openEngine({ engine: 'native', device: 'cpu' });
  });

  it('makes few kernels of a network', () => {
    const backbone = createAsMlp('nano', { out: 'final' });
    const kernels = fused((x) => backbone.forward(x as tf.Tensor4D)[0]!, ['batch', 64, 96, 3]);
    const count = (name: string, activation?: string) =>
      kernels.filter((kernel) => kernel.name === name && kernel.attrs.activation === activation).length;
    // Five blocks of six products, four norms and two shifts; the stem, three times merging, the last norm.
    expect([count('Linear'), count('Linear', 'gelu')]).toEqual([5 * 3 + 4, 5 * 3]);
    expect([count('GroupNorm'), count('GroupNorm', 'gelu')]).toEqual([5 * 3 + 5, 5]);
    expect(count('AxialShift')).toBe(5 * 2);
    const rest = new Set(kernels.map(({ name }) => name));
    expect(rest).toEqual(new Set(['Reshape', 'Transpose', 'Linear', 'GroupNorm', 'AxialShift']));
    backbone.dispose();
  });

  it('lets each layer wait for the one before it, so that only the maps of one branch are held', () => {
    const [left, right] = [pointwise(), pointwise()];
    const program = recordProgram(
      ([x]) => [gelu(left.forward(x as tf.Tensor4D)), right.forward(x as tf.Tensor4D)],
      [{ shape: MAP }],
    );
    const nodes = lowerToTensorFlow(fuseForRuntime(program), { inputs: ['x'], outputs: ['a', 'b'] });
    const layers = nodes.filter(({ op }) => op === 'AsMlpLinear');
    expect(layers).toHaveLength(2);
    expect(layers[0]!.inputs!.filter((name) => name.startsWith('^'))).toEqual([]);
    expect(layers[1]!.inputs!.at(-1)).toBe(`^${layers[0]!.name}`);
    for (const module of [left, right]) module.dispose();
  });

  it('lets what TensorFlow computes between two layers wait, too', () => {
    const [first, last] = [pointwise(), pointwise()];
    const program = recordProgram(
      ([x]) => {
        const y = first.forward(x as tf.Tensor4D);
        return [tf.add(y, x!), last.forward(x as tf.Tensor4D)];
      },
      [{ shape: MAP }],
    );
    const nodes = lowerToTensorFlow(recogniseLayers(program), { inputs: ['x'], outputs: ['a', 'b'] });
    const sum = nodes.find(({ op, inputs }) => op === 'AddV2' && inputs!.includes('x'))!;
    const layers = nodes.filter(({ op }) => op === 'AsMlpLinear');
    expect(sum.inputs!.at(-1)).toBe(`^${layers[0]!.name}`);
    expect(layers[1]!.inputs!.at(-1)).toBe(`^${sum.name}`);
    for (const module of [first, last]) module.dispose();
  });

  it.each<InputSpec['shape']>([
    ['batch', 32, 64, 3],
    [2, 32, 64, 3],
  ])('leaves the numbers as they are for inputs of [%s, %s, %s, %s]', async (...shape) => {
    const backbone = network();
    const program = recordProgram(([x]) => backbone.forward(x as tf.Tensor4D)[0]!, [{ shape }]);
    const ends = { inputs: ['x'], outputs: ['y'] };
    const [plain, fast] = [program, fuseForRuntime(program)].map((one) =>
      openGraphSession(encodeGraphDef(lowerToTensorFlow(one, ends))),
    );
    for (const batch of shape[0] === 'batch' ? [1, 5, 2] : [2]) {
      const size = [batch, 32, 64, 3];
      const x = { name: 'x', dtype: 'float32', shape: size, data: rng.normal(batch * 32 * 64 * 3) } as const;
      const [wanted] = await plain!.run([x], ['y']);
      const [got] = await fast!.run([x], ['y']);
      expect(got!.shape).toEqual(wanted!.shape);
      const largest = Math.max(...(wanted!.data as Float32Array).map(Math.abs));
      const worst = Math.max(
        ...(wanted!.data as Float32Array).map((value, i) => Math.abs(value - (got!.data[i] as number))),
      );
      // Sums in another order.
      expect(worst).toBeLessThan(1e-5 * largest);
    }
    await Promise.all([plain!.close(), fast!.close()]);
    backbone.dispose();
  });

  it('lets a layer do what follows it, for inputs of any height and width', () => {
    const [norm, linear] = [new GroupNorm(4).initialize(rng), pointwise()];
    const fn = (x: tf.Tensor) => {
      const y = gelu(norm.forward(x as tf.Tensor4D));
      return tf.add(tf.relu(x), gelu(linear.forward(y)));
    };
    expect(names(fn).sort()).toEqual(['GroupNorm gelu', 'Linear gelu residual', 'Relu']);
  });

  it('keeps what is used elsewhere', () => {
    const [norm, linear] = [new GroupNorm(4).initialize(rng), pointwise()];
    for (const layer of [norm, linear]) {
      const shared = (x: tf.Tensor) => {
        const y = layer.forward(x as tf.Tensor4D);
        return [gelu(y), y];
      };
      expect(names(shared)).toEqual([layer === norm ? 'GroupNorm' : 'Linear', 'Gelu']);
    }
    const twice = (x: tf.Tensor) => {
      const y = linear.forward(x as tf.Tensor4D);
      return tf.add(y, y);
    };
    expect(names(twice)).toEqual(['Linear', 'Add']);
  });

  it('adds one of two layers to the other, and no residual of another shape', () => {
    const [one, other] = [pointwise(), pointwise()];
    const both = (x: tf.Tensor) => tf.add(one.forward(x as tf.Tensor4D), other.forward(x as tf.Tensor4D));
    expect(names(both)).toEqual(['Linear', 'Linear residual']);
    const mean = (x: tf.Tensor) => tf.add(one.forward(x as tf.Tensor4D), tf.mean(x, 0, true));
    expect(names(mean).sort()).toEqual(['Add', 'Linear', 'Mean']);
  });

  it('lets convolutions do what follows them', async () => {
    const conv = new Conv2d({ inChannels: 4, outChannels: 5, kernelSize: 3, padding: 1 }).initialize(rng);
    const plain = new Conv2d({ inChannels: 5, outChannels: 4, kernelSize: 3, padding: 1, bias: false });
    const norm = new BatchNorm(4).initialize(rng);
    plain.initialize(rng);
    for (const parameter of [norm.runningMean, norm.bias, norm.weight]) parameter.assign(rng.normal(4));
    const forward = (x: tf.Tensor) => {
      const y = tf.relu(conv.forward(x as tf.Tensor4D)) as tf.Tensor4D;
      return tf.relu(norm.forward(plain.forward(y), { training: false }));
    };
    const found = fused(forward).filter(({ name }) => name === 'Convolution');
    expect(found.map(({ inputs, attrs }) => [Object.keys(inputs).sort(), attrs.activation])).toEqual([
      [['bias', 'weight', 'x'], 'relu'],
      [['bias', 'scale', 'weight', 'x'], 'relu'],
    ]);
    const compiled = await compileForTensorFlow(forward, { inputs: [{ shape: MAP }] });
    for (const shape of [
      [1, 1, 1, 4],
      [2, 9, 14, 4],
    ]) {
      const x = tf.tensor(rng.normal(shape.reduce((a, b) => a * b)), shape);
      const [a, b] = [await forward(x).data(), await (await compiled(x)).data()];
      expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-5);
      x.dispose();
    }
    compiled.dispose();
    tf.dispose(
      [conv, plain, norm].flatMap((layer) => [...layer.namedTensors()].map(([, { value }]) => value)),
    );
  });

  it('takes the gradient of what goes into a convolution for one with the filter turned around', async () => {
    const conv = new Conv2d({ inChannels: 4, outChannels: 6, kernelSize: 3, padding: 1 }).initialize(rng);
    const gradient = (x: tf.Tensor, dy: tf.Tensor) =>
      tf.grad((map) => tf.sum(tf.mul(conv.forward(map as tf.Tensor4D), dy)))(x);
    const inputs = [{ shape: MAP }, { shape: ['batch', 'height', 'width', 6] }] as const;
    const program = fuseForRuntime(recordProgram(([x, dy]) => gradient(x!, dy!), inputs));
    const names = program.kernels.map(({ name }) => name);
    expect(names.filter((name) => /Conv|Filter/.test(name))).toEqual(['TurnedFilter', 'Convolution']);
    const compiled = await compileForTensorFlow(gradient, { inputs });
    const given = [
      tf.tensor(rng.normal(2 * 5 * 7 * 4), [2, 5, 7, 4]),
      tf.tensor(rng.normal(420), [2, 5, 7, 6]),
    ];
    const wanted = gradient(given[0]!, given[1]!);
    const found = await compiled(given[0]!, given[1]!);
    expect(tf.max(tf.abs(tf.sub(wanted, found))).dataSync()[0]).toBeLessThan(1e-5);
    await compiled.dispose();
    tf.dispose([...given, wanted, found, ...[...conv.namedTensors()].map(([, { value }]) => value)]);
  });
});
