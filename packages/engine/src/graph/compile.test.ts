import type { Compile } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';

const IMAGES = { shape: ['batch', 'height', 'width', 3] } as const;

/** Pads to even sides, halves them, mixes the channels, and averages by the number of cells. */
function network(weight: tf.Tensor2D, bias: tf.Tensor1D) {
  return (input: tf.Tensor): tf.Tensor[] => {
    const [batch, height, width, channels] = (input as tf.Tensor4D).shape;
    const [bottom, right] = [height % 2, width % 2];
    const x =
      bottom || right
        ? tf.pad(input as tf.Tensor4D, [
            [0, 0],
            [0, bottom],
            [0, right],
            [0, 0],
          ])
        : input;
    const [rows, columns] = [(height + bottom) / 2, (width + right) / 2];
    const cells = tf.transpose(tf.reshape(x, [batch * rows, 2, columns, 2 * channels]), [0, 2, 1, 3]);
    const mixed = tf.add(tf.matMul(tf.reshape(cells, [-1, 4 * channels]), weight), bias);
    const map = tf.reshape(tf.relu(mixed), [batch, rows, columns, 5]);
    return [map, tf.div(tf.sum(map, [1, 2]), rows * columns)];
  };
}

let compile: Compile;
let isThere = false;

beforeAll(async () => {
  const engine = await openEngine({ engine: 'native', log: () => undefined }).catch(() => undefined);
  isThere = engine !== undefined;
  if (engine) compile = engine.compile;
});

beforeEach(({ skip }) => {
  if (!isThere) skip('no native engine here');
});

/** Halves a map until it has a cell for 64 pixels, doubles it again, and mixes the channels of the coarsest level. */
function pyramid(weight: tf.Tensor2D) {
  return (input: tf.Tensor): tf.Tensor[] => {
    const levels = [input as tf.Tensor4D];
    for (let i = 0; i < 6; i++) levels.push(tf.maxPool(levels[i]!, 1, 2, 'valid'));
    const [batch, rows, columns] = levels[6]!.shape;
    const mixed = tf.matMul(tf.reshape(levels[6]!, [batch * rows * columns, 3]) as tf.Tensor2D, weight);
    const size = levels[5]!.shape.slice(1, 3) as [number, number];
    const grown = tf.image.resizeNearestNeighbor(levels[6]!, size, false, false);
    return [tf.reshape(mixed, [batch, rows, columns, 5]), tf.add(levels[5]!, grown)];
  };
}

describe('compile', () => {
  it('frees the values of results when it is told to', async () => {
    const compiled = await compile((x) => [tf.square(x), tf.sum(x, [1, 2])], { inputs: [IMAGES] });
    const x = tf.fill([2, 64, 64, 3], 3);
    for (let round = 0; round < 2; round++) {
      const results = await compiled(x);
      const [large, small] = (await Promise.all(results.map((result) => result.data()))) as Float32Array[];
      tf.dispose(results);
      expect([large!.length, large!.at(-1), [...small!]]).toEqual([24576, 9, Array(6).fill(12288)]);
      compiled.free(large!, small!);
      expect([large!.length, small!.length]).toEqual([0, 0]);
      expect(() => compiled.free(large!)).not.toThrow();
    }
    x.dispose();
    await compiled.dispose();
  });

  it('tells the sizes of a coarse level of a pyramid', async () => {
    const weight = tf.variable(tf.randomNormal<tf.Rank.R2>([3, 5]));
    const fn = pyramid(weight);
    const compiled = await compile(fn, { inputs: [IMAGES] });
    for (const shape of [
      [1, 64, 640, 3],
      [3, 416, 33, 3],
      [2, 800, 352, 3],
    ]) {
      const x = tf.randomNormal(shape);
      const wanted = tf.tidy(() => fn(x));
      const given = await compiled(x);
      expect(given.map((tensor) => tensor.shape)).toEqual(wanted.map((tensor) => tensor.shape));
      const apart = tf.tidy(() =>
        wanted.map((one, i) => tf.max(tf.abs(tf.sub(one, given[i]!))).dataSync()[0]!),
      );
      expect(Math.max(...apart)).toBeLessThan(1e-5);
      tf.dispose([x, ...wanted, ...given]);
    }
    await compiled.dispose();
    weight.dispose();
  });

  it('puts lists of any lengths and levels of any size end to end', async () => {
    const ends = (maps: tf.Tensor, first: tf.Tensor, second: tf.Tensor) => {
      const levels = [1, 2, 4].map((stride) => tf.maxPool(maps as tf.Tensor4D, 1, stride, 'valid'));
      const rows = tf.concat([...levels.map((level) => tf.reshape(level, [-1, 3])), first, second]);
      return tf.clipByValue(tf.gather(rows, tf.range(0, rows.shape[0]!, 1, 'int32')), -0.5, 0.75);
    };
    const lists = [{ shape: ['list 0', 3] }, { shape: ['list 1', 3] }] as const;
    const compiled = await compile(ends, { inputs: [IMAGES, ...lists] });
    for (const [height, few, many] of [
      [40, 2, 7],
      [33, 5, 1],
      [64, 3, 3],
    ] as const) {
      const inputs = [
        tf.randomNormal([2, height, 48, 3]),
        tf.randomNormal([few, 3]),
        tf.randomNormal([many, 3]),
      ] as const;
      const [wanted, found] = [ends(...inputs), await compiled(...inputs)];
      expect(found.shape).toEqual(wanted.shape);
      expect(found.dataSync()).toEqual(wanted.dataSync());
      tf.dispose([...inputs, wanted, found]);
    }
    await compiled.dispose();
  });

  it('finds the largest along an axis', async () => {
    const fn = (x: tf.Tensor) => [tf.argMax(x, 3), tf.argMax(tf.reshape(x, [-1, x.shape[3]!]), -1)];
    const compiled = await compile(fn, { inputs: [IMAGES] });
    const x = tf.randomNormal([2, 3, 4, 3]);
    const [wanted, given] = [fn(x), (await compiled(x)) as tf.Tensor[]];
    expect(given.map(({ shape, dtype }) => [shape, dtype])).toEqual([
      [[2, 3, 4], 'int32'],
      [[24], 'int32'],
    ]);
    expect(given.map((one) => one.arraySync())).toEqual(wanted.map((one) => one.arraySync()));
    tf.dispose([x, wanted, given]);
    await compiled.dispose();
  });

  it('runs the gradients of pooling and nearest resizing', async () => {
    const fn = tf.grad((input) => {
      const x = input as tf.Tensor4D;
      const pooled = tf.maxPool(x, 2, 2, 'valid');
      const grown = tf.image.resizeNearestNeighbor(pooled, x.shape.slice(1, 3) as [number, number]);
      return tf.sum(tf.mul(tf.square(grown), tf.tanh(x))) as tf.Scalar;
    });
    const compiled = await compile(fn, { inputs: [IMAGES] });
    const x = tf.randomNormal([2, 8, 12, 3]);
    const [wanted, given] = [fn(x), (await compiled(x)) as tf.Tensor];
    const apart = tf.tidy(() => tf.max(tf.abs(tf.sub(wanted, given))).dataSync()[0]!);
    expect(apart).toBeLessThan(1e-4);
    tf.dispose([x, wanted, given]);
    await compiled.dispose();
  });

  it('gives what the function gives, for every size', async () => {
    const weight = tf.variable(tf.randomNormal<tf.Rank.R2>([12, 5]));
    const bias = tf.variable(tf.randomNormal<tf.Rank.R1>([5]));
    const fn = network(weight, bias);
    const compiled = await compile(fn, { inputs: [IMAGES] });
    expect(compiled.isGraph).toBe(true);
    const before = tf.memory().numTensors;
    for (const shape of [
      [1, 8, 8, 3],
      [2, 31, 57, 3],
      [5, 1, 60, 3],
      [3, 224, 343, 3],
    ]) {
      const x = tf.randomNormal(shape);
      const wanted = tf.tidy(() => fn(x));
      const given = await compiled(x);
      for (const [i, tensor] of given.entries()) {
        expect(tensor.shape).toEqual(wanted[i]!.shape);
        expect(await difference(tensor, wanted[i]!)).toBeLessThan(1e-5);
      }
      tf.dispose([x, wanted, given]);
    }
    expect(tf.memory().numTensors).toBe(before);
    await compiled.dispose();
    tf.dispose([weight, bias]);
  });

  it('leaves nothing behind', async () => {
    const weight = tf.variable(tf.ones([2, 2]));
    const compiled = await compile((x) => tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D), {
      inputs: [{ shape: ['batch', 2] }],
    });
    const x = tf.ones([3, 2]);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 50; i++) (await compiled(x)).dispose();
    expect(tf.memory().numTensors).toBe(before);
    await compiled.dispose();
    tf.dispose([x, weight]);
  });

  it('knows the slope of ReLU and of the absolute value', async () => {
    const slopes = (x: tf.Tensor) => tf.grad((at) => tf.add(tf.relu(at), tf.mul(tf.abs(at), 10)))(x);
    const compiled = await compile(slopes, { inputs: [{ shape: ['batch'] }] });
    const x = tf.tensor1d([-2, -0.5, 0.5, 3]);
    const given = await compiled(x);
    expect([...(await given.data())]).toEqual([-10, -10, 11, 11]);
    await compiled.dispose();
    tf.dispose([x, given]);
  });

  it.each([-2, -1, 1, 2])('follows the batch size %i, and its half', async (offset) => {
    const fn = (x: tf.Tensor) => {
      const [batch] = x.shape as [number];
      return tf.stack([tf.mul(tf.sum(x), batch + offset), tf.mul(tf.sum(x), Math.ceil(batch / 2))]);
    };
    const compiled = await compile(fn, { inputs: [{ shape: ['batch'] }] });
    for (const batch of [4, 5, 7, 64]) {
      const x = tf.fill([batch], 1 / batch);
      const [given, wanted] = [await compiled(x), fn(x)];
      expect(await difference(given, wanted)).toBeLessThan(1e-5);
      tf.dispose([x, given, wanted]);
    }
    await compiled.dispose();
  });

  it('keeps the values that variables had', async () => {
    const scale = tf.variable(tf.scalar(2));
    const compiled = await compile((x) => tf.mul(x, scale), { inputs: [{ shape: [1] }] });
    scale.assign(tf.scalar(5));
    expect([...(await (await compiled(tf.tensor1d([3]))).data())]).toEqual([6]);
    await compiled.dispose();
    scale.dispose();
  });

  it('lets timers fire and several calls run', async () => {
    const side = 600;
    const weight = tf.variable(tf.randomNormal([side, side]));
    const power = (x: tf.Tensor) => {
      let y = x as tf.Tensor2D;
      for (let i = 0; i < 20; i++) y = tf.tanh(tf.matMul(y, weight as tf.Tensor2D)) as tf.Tensor2D;
      return y;
    };
    const compiled = await compile(power, { inputs: [{ shape: [side, side] }] });
    const x = tf.randomNormal([side, side]);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const results = await Promise.all([compiled(x), compiled(x), compiled(x)]);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
    expect(await difference(results[0]!, results[2]!)).toBe(0);
    await compiled.dispose();
    tf.dispose([x, weight, ...results]);
  });

  it('names what does not fit', async () => {
    const compiled = await compile((x) => tf.neg(x), { inputs: [{ shape: ['batch', 3] }] });
    await expect(compiled(tf.ones([2, 4]))).rejects.toThrow(
      'argument 1 of a compiled function: float32 [2,4] was given. Give float32 [batch, 3].',
    );
    await compiled.dispose();
    await expect(compiled(tf.ones([2, 3]))).rejects.toThrow(/closed/);
    const reading = (x: tf.Tensor) => tf.mul(x, x.dataSync()[0]!);
    await expect(compile(reading, { inputs: [{ shape: [1] }] })).rejects.toThrow(
      /compile\.test\.ts:\d+:\d+: a compiled function reads the values of a tensor/,
    );
    const unknown = (x: tf.Tensor) => tf.cumsum(x);
    await expect(compile(unknown, { inputs: [{ shape: [4] }] })).rejects.toThrow(/uses Cumsum/);
  });

  it('is not there with eager, nor on other engines', async () => {
    const eager = await openEngine({ engine: 'native', eager: true, log: () => undefined });
    const plain = await eager.compile((x) => tf.neg(x), { inputs: [{ shape: [1] }] });
    expect(plain.isGraph).toBe(false);
    expect([...(await (await plain(tf.tensor1d([3]))).data())]).toEqual([-3]);
  });
});

async function difference(a: tf.Tensor, b: tf.Tensor): Promise<number> {
  const largest = tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))));
  const [value] = await largest.data();
  largest.dispose();
  return value!;
}
