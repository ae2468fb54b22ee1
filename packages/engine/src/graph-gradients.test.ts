import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from './engine.ts';
import {
  expectClose,
  normalCdf,
  opened,
  operation,
  random,
  sizeOf,
  type Values,
} from './graph-ops.fixture.ts';
import { findNative } from './installed.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

/** Gradients of a norm in double precision: of x, and of gain and bias. */
function groupNormGradient(x: Values, gain: Values, dy: Values) {
  const channels = gain.data.length;
  const size = sizeOf(x.shape.slice(1));
  const dx: number[] = [];
  const dGain = new Float64Array(channels);
  const dBias = new Float64Array(channels);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  for (let first = 0; first < x.data.length; first += size) {
    const sample = Array.from(x.data.subarray(first, first + size));
    const average = mean(sample);
    const scale = 1 / Math.sqrt(mean(sample.map((value) => (value - average) ** 2)) + 1e-5);
    const n = sample.map((value) => (value - average) * scale);
    const g = n.map((value, i) => {
      const given = dy.data[first + i]!;
      dGain[i % channels]! += given * value;
      dBias[i % channels]! += given;
      return given * gain.data[i % channels]!;
    });
    const [alone, withN] = [mean(g), mean(g.map((value, i) => value * n[i]!))];
    for (const [i, value] of g.entries()) dx.push((value - alone - n[i]! * withN) * scale);
  }
  return { dx, dGain: [...dGain], dBias: [...dBias] };
}

describe.skipIf(missing)('gradients of the graph runtime', () => {
  beforeAll(async () => {
    await openEngine({ engine: 'native', device: 'cpu' });
  });
  afterAll(async () => {
    await Promise.all(opened.map((session) => session.close()));
  });

  it('AsMlpGeluGradient is exact to 1e-6 for every size of number', async () => {
    const data = new Float32Array(40_003).map((_, i) => (i - 20_000) / 2000);
    data.set([0, -0, 1e-30, -1e-30, 3e38, -3e38, Infinity, -Infinity, NaN, 40, -40, 39, -15, 13.3]);
    const dy = { shape: [data.length], data: new Float32Array(data.length).fill(1) };
    const { data: dx } = await operation('AsMlpGeluGradient', 2)({ shape: [data.length], data }, dy);
    const slope = (x: number) => {
      const bump = Math.abs(x) > 40 ? 0 : (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
      return normalCdf(x) + bump;
    };
    expectClose(dx, Array.from(data, slope), () => 1e-6);
    const x = random([3, 5]);
    const twice = { shape: x.shape, data: new Float32Array(15).fill(2) };
    const y = await operation('AsMlpGeluGradient', 2)(x, twice);
    expectClose(
      y.data,
      Array.from(x.data, (value) => 2 * slope(value)),
      () => 2e-6,
    );
    await expect(operation('AsMlpGeluGradient', 2)(x, random([15]))).rejects.toThrow(
      /x is \[3, 5\]|gradient/,
    );
  });

  it.each([
    [[2, 49, 96], 0],
    [[3, 7, 5, 17], 0.5],
    [[1, 3136, 96], 30],
    [[2, 40, 40, 20], -100],
    [[1, 1, 6], 2],
  ])('AsMlpGroupNormGradient of %j around %i', async (shape, mean) => {
    const channels = shape.at(-1)!;
    const [x, gain, dy] = [random(shape, mean), random([channels]), random(shape)];
    const { dx, dGain, dBias } = groupNormGradient(x, gain, dy);
    const attributes = { epsilon: { float: 1e-5 } };
    for (const [output, wanted, error] of [
      [0, dx, 3e-6],
      [1, dGain, 1e-5 * Math.sqrt(x.data.length / channels)],
      [2, dBias, 1e-5 * Math.sqrt(x.data.length / channels)],
    ] as const) {
      const found = await operation('AsMlpGroupNormGradient', 3, attributes, [], output)(x, gain, dy);
      expect(found.shape).toEqual(output === 0 ? shape : [channels]);
      expectClose(found.data, wanted, (i) => error * (1 + Math.abs(wanted[i]!)));
    }
  });

  it('AsMlpGroupNormGradient takes no samples and empty ones', async () => {
    const run = (output: number) => operation('AsMlpGroupNormGradient', 3, {}, [], output);
    for (const shape of [
      [0, 4, 3],
      [2, 0, 3],
    ]) {
      const [x, gain, dy] = [random(shape), random([3]), random(shape)];
      expect((await run(0)(x, gain, dy)).shape).toEqual(shape);
      expect([...(await run(1)(x, gain, dy)).data]).toEqual([0, 0, 0]);
    }
    await expect(run(0)(random([2, 3]), random([4]), random([2, 3]))).rejects.toThrow(/the gain is \[4\]/);
  });
});
