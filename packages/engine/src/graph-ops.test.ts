import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from './engine.ts';
import {
  type Attributes,
  expectClose,
  gelu,
  opened,
  operation,
  random,
  rng,
  sizeOf,
  type Values,
} from './graph-ops.fixture.ts';
import { findNative } from './installed.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

/** `act(x · w + b) + r` in double precision, with the size of its terms as a measure of rounding. */
function linear(x: Values, w: Values, b: Values, activation: string, residual?: Values) {
  const [depth, columns] = w.shape as [number, number];
  const values: number[] = [];
  const sizes: number[] = [];
  for (let row = 0; row < sizeOf(x.shape.slice(0, -1)); row++) {
    for (let n = 0; n < columns; n++) {
      let sum = b.data[n]!;
      let size = Math.abs(sum);
      for (let k = 0; k < depth; k++) {
        const term = x.data[row * depth + k]! * w.data[k * columns + n]!;
        sum += term;
        size += Math.abs(term);
      }
      const added = residual?.data[row * columns + n] ?? 0;
      values.push((activation === 'gelu' ? gelu(sum) : sum) + added);
      sizes.push(size + Math.abs(added));
    }
  }
  return { values, sizes };
}

const residuals = (count: number): Attributes => (count > 0 ? { residuals: { int: count } } : {});
const act = (activation: string): Attributes => ({ activation: { string: activation } });

describe.skipIf(missing)('operations of the graph runtime', () => {
  beforeAll(async () => {
    await openEngine({ engine: 'native', device: 'cpu' });
  });
  afterAll(async () => {
    await Promise.all(opened.map((session) => session.close()));
  });

  const EDGES = [1, 2, 5, 6, 7, 15, 16, 17, 49, 96, 97];
  it.each([
    ['none', 0],
    ['gelu', 0],
    ['none', 1],
    ['gelu', 1],
  ])('AsMlpLinear multiplies any shapes, act %s, %i residuals', async (activation, count) => {
    const run = operation('AsMlpLinear', 3 + count, { ...act(activation), ...residuals(count) });
    const any = () => EDGES[rng.int(EDGES.length)]!;
    const shapes = Array.from({ length: 60 }, () => [any(), any(), any()] as const);
    for (const [m, k, n] of [...shapes, [0, 7, 5], [3, 0, 17], [3, 1100, 33], [250, 17, 40]] as const) {
      const [x, w, b] = [random([m, k]), random([k, n]), random([n])];
      const residual = count > 0 ? random([m, n]) : undefined;
      const y = await run(x, w, b, ...(residual ? [residual] : []));
      expect(y.shape).toEqual([m, n]);
      const { values, sizes } = linear(x, w, b, activation, residual);
      expectClose(y.data, values, (i) => 1e-6 * sizes[i]! + 3e-7);
    }
  });

  it('AsMlpLinear keeps the axes before the last', async () => {
    const run = operation('AsMlpLinear', 3);
    const [x, w, b] = [random([2, 3, 1, 4]), random([4, 2]), random([2])];
    const y = await run(x, w, b);
    expect(y.shape).toEqual([2, 3, 1, 2]);
    expectClose(y.data, linear(x, w, b, 'none').values, () => 1e-5);
  });

  it('AsMlpLinear takes weights that AsMlpPack has packed, for any number of rows', async () => {
    for (const [depth, columns] of [
      [65, 70],
      [1, 1],
      [130, 16],
      [0, 3],
    ] as const) {
      const [w, b] = [random([depth, columns]), random([columns])];
      const packed = await operation('AsMlpPack', 1)(w);
      const run = operation('AsMlpLinear', 3);
      for (const m of [1, 300, 7, 0, 49]) {
        const x = random([m, depth]);
        const { values, sizes } = linear(x, w, b, 'none');
        expectClose((await run(x, packed, b)).data, values, (i) => 1e-6 * sizes[i]!);
      }
      await expect(run(random([2, depth + 1]), packed, b)).rejects.toThrow(/x is .* and the bias/);
    }
  });

  it('AsMlpLinear lets NaN and infinity through to the rows that have them', async () => {
    const x = random([3, 5]);
    x.data[0] = Number.NaN;
    x.data[5] = Number.POSITIVE_INFINITY;
    const w = { shape: [5, 2], data: new Float32Array(10).fill(1) };
    const y = await operation('AsMlpLinear', 3, act('gelu'))(x, w, random([2]));
    expect([...y.data.subarray(0, 4)]).toEqual([NaN, NaN, Infinity, Infinity]);
    expect([...y.data.subarray(4)].every(Number.isFinite)).toBe(true);
  });

  it.each([
    [[4, 3], [2, 5], [5], /x is \[4, 3\], the weight \[2, 5\] and the bias \[5\]/],
    [[4, 3], [3, 5], [4], /the weight \[3, 5\] and the bias \[4\]/],
    [[4, 3], [3, 5, 1], [5], /the weight \[3, 5, 1\]/],
    [[], [3, 5], [5], /needs 1 axes|at least rank 1/],
  ])('AsMlpLinear refuses %j times %j plus %j', async (x, w, b, message) => {
    const run = operation('AsMlpLinear', 3);
    await expect(run(random(x), random(w), random(b))).rejects.toThrow(message);
  });

  it('AsMlpLinear refuses a residual of another shape', async () => {
    const run = operation('AsMlpLinear', 4, residuals(1));
    const inputs = [random([2, 3]), random([3, 4]), random([4]), random([2, 5])];
    await expect(run(...inputs)).rejects.toThrow(/the residual is \[2, 5\] and must be \[2, 4\]/);
    expect(() => operation('AsMlpLinear', 3, act('relu'))).toThrow(/relu/);
  });

  it.each([
    ['none', [2, 49, 96], 0],
    ['gelu', [3, 7, 5, 17], 0.5],
    ['none', [1, 3136, 96], 1e4],
    ['none', [2, 40, 40, 20], -3e5],
    ['none', [1, 1, 6], 2],
  ])('AsMlpGroupNorm with act %s normalises %j around %i', async (activation, shape, mean) => {
    const channels = shape.at(-1)!;
    const [x, gain, bias] = [random(shape, mean), random([channels]), random([channels])];
    const attributes = { ...act(activation), epsilon: { float: 1e-5 } };
    const y = await operation('AsMlpGroupNorm', 3, attributes)(x, gain, bias);
    expect(y.shape).toEqual(shape);
    const size = sizeOf(shape.slice(1));
    const wanted: number[] = [];
    for (let first = 0; first < x.data.length; first += size) {
      const sample = x.data.subarray(first, first + size);
      const average = sample.reduce((sum, value) => sum + value, 0) / size;
      const variance = sample.reduce((sum, value) => sum + (value - average) ** 2, 0) / size;
      sample.forEach((value, i) => {
        const c = i % channels;
        const normal = ((value - average) / Math.sqrt(variance + 1e-5)) * gain.data[c]! + bias.data[c]!;
        wanted.push(activation === 'gelu' ? gelu(normal) : normal);
      });
    }
    expectClose(
      y.data,
      wanted,
      (i) => 1e-6 * (1 + Math.abs(wanted[i]!) + Math.abs(bias.data[i % channels]!)),
    );
  });

  it('AsMlpGroupNorm keeps samples apart, NaN among them, and takes none', async () => {
    const run = operation('AsMlpGroupNorm', 3);
    const [gain, bias] = [random([3]), random([3])];
    const x = random([3, 5, 3]);
    const before = await run(x, gain, bias);
    x.data[17] = Number.NaN;
    x.data[40] = Number.POSITIVE_INFINITY;
    const y = await run(x, gain, bias);
    expect(y.data.subarray(0, 15)).toEqual(before.data.subarray(0, 15));
    expect(y.data.subarray(15).every(Number.isNaN)).toBe(true);
    expect((await run(random([0, 5, 3]), gain, bias)).shape).toEqual([0, 5, 3]);
    expect((await run(random([2, 0, 3]), gain, bias)).shape).toEqual([2, 0, 3]);
    await expect(run(x, random([4]), bias)).rejects.toThrow(/the gain is \[4\] and must be \[3\]/);
  });

  it.each([
    ['the paper', 10, [2, 4, 6, 8, 10], [-2, -1, 0, 1, 2]],
    ['a dilation', 6, [2, 4, 6], [-2, 0, 2]],
    ['a last group that is missing', 6, [2, 4, 6], [-2, -1, 0]],
    ['wide groups', 50, [17, 34, 50], [1, 0, -1]],
  ])('AsMlpShift moves the groups of %s', async (_name, channels, ends, displacements) => {
    for (const axis of [1, 2]) {
      const attributes = {
        axis: { int: axis },
        ends: { ints: ends },
        displacements: { ints: displacements },
      };
      const run = operation('AsMlpShift', 1, attributes);
      for (const [batch, height, width] of [
        [2, 5, 6],
        [1, 1, 1],
        [3, 2, 1],
        [1, 1, 9],
        [0, 3, 3],
      ] as const) {
        const x = random([batch, height, width, channels]);
        const y = await run(x);
        const at = (b: number, i: number, j: number, c: number) =>
          i < 0 || j < 0 || i >= height || j >= width
            ? 0
            : x.data[((b * height + i) * width + j) * channels + c]!;
        const wanted = Array.from(x.data, (_, index) => {
          const c = index % channels;
          const [cell, column] = [Math.floor(index / channels), Math.floor(index / channels) % width];
          const row = Math.floor(cell / width) % height;
          const d = displacements[ends.findIndex((end) => c < end)]!;
          const b = Math.floor(cell / width / height);
          return axis === 1 ? at(b, row - d, column, c) : at(b, row, column - d, c);
        });
        expect([...y.data]).toEqual(wanted);
        expect(y.shape).toEqual(x.shape);
      }
    }
  });

  it('AsMlpShift refuses groups that do not fit', async () => {
    const shift = (axis: number, ends: number[], displacements: number[]) =>
      operation('AsMlpShift', 1, {
        axis: { int: axis },
        ends: { ints: ends },
        displacements: { ints: displacements },
      })(random([1, 2, 2, 4]));
    await expect(shift(1, [2, 3], [0, 1])).rejects.toThrow(/the channel groups end at 3/);
    await expect(shift(1, [2, 2, 4], [0, 1, 2])).rejects.toThrow(/ascend/);
    await expect(shift(1, [2, 4], [0])).rejects.toThrow(/as many ends as displacements/);
    await expect(shift(3, [2, 4], [0, 1])).rejects.toThrow(/axis 1 or 2/);
  });

  it('AsMlpGelu is exact to 3e-7 for every size of number', async () => {
    const data = new Float32Array(40_003).map((_, i) => (i - 20_000) / 2000);
    data.set([0, -0, 1e-30, -1e-30, 3e38, -3e38, Infinity, -Infinity, NaN, 40, -40, 39, -15]);
    const { data: y } = await operation('AsMlpGelu', 1)({ shape: [data.length], data });
    expectClose(y, Array.from(data, gelu), (i) => Math.max(3e-7, 6e-8 * Math.abs(data[i]!)));
    expect((await operation('AsMlpGelu', 1)(random([]))).shape).toEqual([]);
    expect((await operation('AsMlpGelu', 1)(random([2, 0]))).shape).toEqual([2, 0]);
  });
});
