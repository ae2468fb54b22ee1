import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { recordProgram } from './compile.ts';
import { evaluateDim } from './dims.ts';
import { trace } from './trace.ts';

const IMAGES = [{ shape: ['batch', 'height', 'width', 3] }] as const;

/** Zeros on the right and bottom until both sides are even, as before patch merging. */
function padToEven(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape;
  if (height % 2 === 0 && width % 2 === 0) return x;
  return tf.pad(x, [
    [0, 0],
    [0, height % 2],
    [0, width % 2],
    [0, 0],
  ]);
}

/** 2×2 neighbours side by side in the channels, three times over, each normalised by the number of its elements. */
function pyramid(input: tf.Tensor): tf.Tensor[] {
  let x = input as tf.Tensor4D;
  const outputs: tf.Tensor[] = [];
  for (let stage = 0; stage < 3; stage++) {
    x = padToEven(x);
    const [batch, height, width, channels] = x.shape;
    const cells = tf.reshape(x, [(batch * height) / 2, 2, width / 2, 2 * channels]);
    x = tf.reshape(tf.transpose(cells, [0, 2, 1, 3]), [batch, height / 2, width / 2, 4 * channels]);
    x = tf.div(x, x.size / batch);
    outputs.push(tf.mean(x, [1, 2]), x);
  }
  return outputs;
}

beforeAll(() => openEngine({ engine: 'cpu' }));

describe('recordProgram', () => {
  it.each([
    [1, 8, 8],
    [2, 31, 57],
    [5, 97, 60],
    [1, 224, 343],
  ])('knows every size for inputs of [%i, %i, %i, 3]', (batch, height, width) => {
    const program = recordProgram(([x]) => pyramid(x!), IMAGES);
    const shape = [batch, height, width, 3];
    const outputs = tf.tidy(() => pyramid(tf.zeros(shape)).map((tensor) => tensor.shape));
    const told = program.outputs.map((id) =>
      program.values[id]!.shape.map((dim) => evaluateDim(dim, [shape])),
    );
    expect(told).toEqual(outputs);
    // Where both sides need padding everywhere, each kernel must agree.
    const input = tf.zeros(shape);
    const found = trace(([x]) => pyramid(x!), [input]);
    input.dispose();
    if (found.kernels.length !== program.kernels.length) return;
    for (const kernel of program.kernels) {
      for (const id of kernel.outputs) {
        expect(program.values[id]!.shape.map((dim) => evaluateDim(dim, [shape]))).toEqual(
          found.values[id]!.shape,
        );
      }
    }
  });

  it('holds scalars that are sizes', () => {
    const program = recordProgram(([x]) => tf.div(x!, x!.size), IMAGES);
    const [constant] = program.constants;
    expect(constant?.kind).toBe('size');
    if (constant?.kind === 'size') expect(evaluateDim(constant.dim, [[2, 5, 7, 3]])).toBe(210);
  });

  it('tells what is one less than a rounded quotient from one that is rounded down', () => {
    const quarter = (x: tf.Tensor4D) =>
      tf.image.resizeNearestNeighbor(x, [Math.ceil(x.shape[1] / 4), Math.ceil(x.shape[2] / 4)]);
    for (const axis of [1, 2]) {
      const program = recordProgram(([x]) => {
        const small = quarter(quarter(x as tf.Tensor4D));
        return tf.mul(small, small.shape[axis]! - 1);
      }, IMAGES);
      const [constant] = program.constants;
      expect(constant?.kind).toBe('size');
      if (constant?.kind !== 'size') return;
      for (const size of [64, 65, 79, 80]) {
        expect(evaluateDim(constant.dim, [[1, size, size, 3]])).toBe(Math.ceil(size / 16) - 1);
      }
    }
  });

  it('leaves out what nobody uses and what only passes on', () => {
    const program = recordProgram(([x]) => {
      tf.square(x!);
      return tf.neg(tf.clone(x!));
    }, IMAGES);
    expect(program.kernels.map(({ name }) => name)).toEqual(['Neg']);
  });

  it('refuses a function that goes another way for other sizes', () => {
    const fn = ([x]: tf.Tensor[]) => (x!.shape[1]! > 60 ? tf.neg(x!) : tf.square(x!));
    expect(() => recordProgram(fn, IMAGES)).toThrow(/does not do the same for inputs of all sizes/);
  });

  it('refuses tensors whose values depend on sizes', () => {
    const fn = ([x]: tf.Tensor[]) => tf.mul(x!, tf.tensor1d([x!.shape[1]!, 1, 1]));
    expect(() => recordProgram(fn, IMAGES)).toThrow(/values depend on the size of its inputs/);
  });
});
