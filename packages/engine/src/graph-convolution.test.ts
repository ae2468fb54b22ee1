import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from './engine.ts';
import { expectClose, opened, operation, random, type Values } from './graph-ops.fixture.ts';
import { findNative } from './installed.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

/** A 3×3 convolution in double precision, with the size of its terms as a measure of rounding. */
function convolution(x: Values, weight: Values) {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const columns = weight.shape[1]!;
  const values: number[] = [];
  const sizes: number[] = [];
  for (let cell = 0; cell < batch * height * width; cell++) {
    const [row, column] = [Math.floor(cell / width) % height, cell % width];
    for (let n = 0; n < columns; n++) {
      let sum = 0;
      let size = 0;
      for (let tap = 0; tap < 9; tap++) {
        const [dy, dx] = [Math.floor(tap / 3) - 1, (tap % 3) - 1];
        if (row + dy < 0 || row + dy >= height || column + dx < 0 || column + dx >= width) continue;
        for (let c = 0; c < channels; c++) {
          const term =
            x.data[(cell + dy * width + dx) * channels + c]! *
            weight.data[(tap * channels + c) * columns + n]!;
          sum += term;
          size += Math.abs(term);
        }
      }
      values.push(sum);
      sizes.push(size);
    }
  }
  return { values, sizes };
}

describe.skipIf(missing)('AsMlpConvolution', () => {
  beforeAll(async () => {
    await openEngine({ engine: 'native', device: 'cpu' });
  });
  afterAll(async () => {
    await Promise.all(opened.map((session) => session.close()));
  });

  it.each([
    [[1, 1, 1, 3], 5],
    [[2, 5, 7, 4], 6],
    [[1, 2, 250, 3], 17],
    [[1, 9, 1, 200], 16],
    [[3, 4, 121, 2], 33],
    [[0, 4, 4, 2], 3],
    [[1, 3, 0, 2], 3],
  ])('convolves %j to %i channels, with scale, bias and ReLU', async (shape, columns) => {
    const x = random(shape);
    const weight = random([9 * shape[3]!, columns]);
    const [bias, scale] = [random([columns]), random([columns])];
    const packed = await operation('AsMlpPack', 1)(weight);
    const { values, sizes } = convolution(x, weight);
    for (const scales of [0, 1]) {
      for (const activation of ['none', 'relu']) {
        const attributes = { scales: { int: scales }, activation: { string: activation } };
        const run = operation('AsMlpConvolution', 3 + scales, attributes);
        const y = await run(x, packed, bias, ...(scales ? [scale] : []));
        expect(y.shape).toEqual([...shape.slice(0, 3), columns]);
        const factor = (i: number) => (scales ? scale.data[i % columns]! : 1);
        const wanted = values.map((value, i) => {
          const sum = value * factor(i) + bias.data[i % columns]!;
          return activation === 'relu' ? Math.max(0, sum) : sum;
        });
        expectClose(y.data, wanted, (i) => 1e-6 * (1 + sizes[i]! * Math.abs(factor(i))));
      }
    }
  });

  it('lets NaN through to the cells around it', async () => {
    const x = random([1, 4, 5, 2]);
    x.data[(1 * 5 + 3) * 2] = Number.NaN;
    const packed = await operation('AsMlpPack', 1)(random([18, 3]));
    const attributes = { activation: { string: 'relu' } };
    const y = await operation('AsMlpConvolution', 3, attributes)(x, packed, random([3]));
    const isNear = (cell: number) => Math.abs(Math.floor(cell / 5) - 1) <= 1 && Math.abs((cell % 5) - 3) <= 1;
    for (const [i, value] of y.data.entries()) expect(Number.isNaN(value)).toBe(isNear(Math.floor(i / 3)));
  });

  it('refuses weights that do not fit', async () => {
    const run = operation('AsMlpConvolution', 3);
    const packed = await operation('AsMlpPack', 1)(random([18, 3]));
    await expect(run(random([1, 4, 4, 3]), packed, random([3]))).rejects.toThrow(/x is \[1, 4, 4, 3\]/);
    await expect(run(random([1, 4, 4, 2]), random([18, 3]), random([3]))).rejects.toThrow(/weight|axes|rank/);
  });
});
