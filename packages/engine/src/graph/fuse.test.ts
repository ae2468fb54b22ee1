import { createRng } from '@as-mlp/base';
import { GroupNorm, gelu, type TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { float32, programOf } from '../onnx/models.fixture.ts';
import { fuseLayers, joinReshapes } from './fuse.ts';

await openEngine();

const CALLS = [float32(2, 5, 8, 4), float32(3, 7, 9, 4), float32(5, 12, 6, 4)];

const fuse = (fn: TensorFunction) => joinReshapes(fuseLayers(programOf(fn, CALLS)));
const names = (fn: TensorFunction) => fuse(fn).kernels.map((kernel) => kernel.name);

describe('fuseLayers', () => {
  it('finds GELU', () => {
    expect(names((x) => tf.relu(gelu(x)))).toEqual(['Gelu', 'Relu']);
  });

  it('leaves what is almost GELU', () => {
    const almost = (x: tf.Tensor) => {
      const half = tf.mul(x, 0.5);
      return tf.add(half, tf.mul(half, tf.erf(tf.mul(x, 0.7))));
    };
    expect(names(almost)).toEqual(['Multiply', 'Multiply', 'Erf', 'Multiply', 'Add']);
  });

  it('finds norms of a map, between other layers', () => {
    const norm = new GroupNorm(4).initialize(createRng(0));
    const program = fuse((x) => gelu(norm.forward(tf.relu(x) as tf.Tensor4D)));
    expect(program.kernels.map((kernel) => kernel.name)).toEqual(['Relu', 'GroupNorm', 'Gelu']);
    const [, found] = program.kernels;
    expect(found!.attrs.epsilon).toBeCloseTo(1e-5, 9);
    const variables = program.constants.map((constant) => constant.kind === 'variable' && constant.variable);
    expect(variables).toEqual([norm.weight.value, norm.bias.value]);
    expect([found!.inputs.weight, found!.inputs.bias]).toEqual(program.constants.map(({ id }) => id));
  });

  it('leaves norms over single channels', () => {
    const layerNorm = (x: tf.Tensor) => {
      const centred = tf.sub(x, tf.mean(x, 3, true));
      return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), 3, true), 1e-5)));
    };
    expect(names(layerNorm)).not.toContain('GroupNorm');
  });
});

describe('joinReshapes', () => {
  it('makes one of several, and none of those that lead back', () => {
    const twice = (x: tf.Tensor) => tf.reshape(tf.reshape(tf.relu(x), [-1, 4]), [-1]);
    expect(names(twice)).toEqual(['Relu', 'Reshape']);
    const back = (x: tf.Tensor) => tf.reshape(tf.reshape(tf.relu(x), [-1, 4]), x.shape);
    expect(names(back)).toEqual(['Relu']);
  });
});
