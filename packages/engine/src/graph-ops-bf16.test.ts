import { createRng } from '@as-mlp/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from './engine.ts';
import { encodeGraphDef, type GraphAttribute, type GraphNode } from './graph-def.ts';
import { type GraphSession, openGraphSession } from './graph-session.ts';
import { findNative } from './installed.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

const FLOAT = { type: 'float32' } as const;
const BFLOAT = { type: 'bfloat16' } as const;
const rng = createRng(11);
const opened: GraphSession[] = [];

const cast = (name: string, input: string, from: GraphAttribute, to: GraphAttribute): GraphNode => ({
  name,
  op: 'Cast',
  inputs: [input],
  attributes: { SrcT: from, DstT: to },
});

interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

const random = (...shape: number[]): Values => ({ shape, data: rng.normal(shape.reduce((a, b) => a * b)) });

/** Opens a session in which the placeholder `x`, as bfloat16, is `b`, and as float32 again `f`. */
function open(nodes: readonly GraphNode[], inputs: readonly string[] = []) {
  const placeholders = ['x', ...inputs].map(
    (name): GraphNode => ({ name, op: 'Placeholder', attributes: { dtype: FLOAT } }),
  );
  const all = [...placeholders, cast('b', 'x', FLOAT, BFLOAT), cast('f', 'b', BFLOAT, FLOAT), ...nodes];
  const session = openGraphSession(encodeGraphDef(all), { optimizer: false });
  opened.push(session);
  return async (feeds: Readonly<Record<string, Values>>, ...fetches: string[]) => {
    const fed = Object.entries(feeds).map(([name, values]) => ({
      name,
      dtype: 'float32' as const,
      ...values,
    }));
    return (await session.run(fed, fetches)).map(({ data }) => data as Float32Array);
  };
}

/** The bits, so that zeros have signs and NaN is itself. */
const bits = (data: Float32Array) => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];
const withoutSignOfNaN = (data: Float32Array) =>
  bits(data.map((value) => (Number.isNaN(value) ? Number.NaN : value)));

/** The largest difference as a share of what is allowed there; infinite where there is NaN. */
function worst(got: Float32Array, wanted: Float32Array, allowed: (value: number) => number): number {
  let most = 0;
  for (const [i, value] of wanted.entries()) {
    const share = Math.abs(got[i]! - value) / allowed(value);
    most = Number.isNaN(share) ? Number.POSITIVE_INFINITY : Math.max(most, share);
  }
  return most;
}

describe.skipIf(missing)('operations on bfloat16', () => {
  beforeAll(async () => {
    await openEngine({ engine: 'native', device: 'cpu', log: () => undefined });
  });
  afterAll(async () => {
    await Promise.all(opened.map((session) => session.close()));
  });

  it.each([1, 7, 8, 33])('rounds as TensorFlow does, %i columns', async (columns) => {
    const run = open(
      [
        { name: 'y', op: 'AsMlpEpilogue', inputs: ['b', 'bias'], attributes: { U: BFLOAT } },
        cast('got', 'y', BFLOAT, FLOAT),
        { name: 'sum', op: 'AddV2', inputs: ['f', 'bias'], attributes: { T: FLOAT } },
        cast('rounded', 'sum', FLOAT, BFLOAT),
        cast('wanted', 'rounded', BFLOAT, FLOAT),
      ],
      ['bias'],
    );
    // Ties to both sides, the largest float, what is smaller than a normal number, and what is none.
    const special = [1.00390625, 1.01171875, -1.00390625, 3.4028234e38, -3.4028234e38, 1e-40, -1e-40, 0, -0];
    special.push(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN);
    for (let first = 0; first < special.length; first += columns) {
      const some = special.slice(first, first + columns);
      const bias = {
        shape: [columns],
        data: Float32Array.from({ length: columns }, (_, i) => some[i] ?? i / 7),
      };
      for (const x of [{ shape: [3, columns], data: new Float32Array(3 * columns) }, random(3, columns)]) {
        const [got, wanted] = await run({ x, bias }, 'got', 'wanted');
        expect(withoutSignOfNaN(got!)).toEqual(withoutSignOfNaN(wanted!));
      }
    }
  });

  it.each(['none', 'gelu'])('AsMlpEpilogue finishes as AsMlpLinear does, act %s', async (activation) => {
    const act = { activation: { string: activation } };
    const run = open(
      [
        { name: 'gelu', op: 'AsMlpGelu', inputs: ['sum'] },
        { name: 'sum', op: 'AddV2', inputs: ['f', 'bias'], attributes: { T: FLOAT } },
        {
          name: 'wanted',
          op: 'AddV2',
          inputs: [activation === 'gelu' ? 'gelu' : 'sum', 'residual'],
          attributes: { T: FLOAT },
        },
        {
          name: 'got',
          op: 'AsMlpEpilogue',
          inputs: ['b', 'bias', 'residual'],
          attributes: { ...act, residuals: { int: 1 } },
        },
      ],
      ['bias', 'residual'],
    );
    for (const [rows, columns] of [
      [1, 1],
      [5, 17],
      [700, 96],
    ] as const) {
      const feeds = { x: random(rows, columns), bias: random(columns), residual: random(rows, columns) };
      const [got, wanted] = await run(feeds, 'got', 'wanted');
      expect(worst(got!, wanted!, () => 2e-6)).toBeLessThan(1);
    }
    await expect(run({ x: random(2, 3), bias: random(3), residual: random(3, 3) }, 'got')).rejects.toThrow(
      'the residual is [3, 3] and must be [2, 3]',
    );
    await expect(run({ x: random(2, 3), bias: random(2), residual: random(2, 3) }, 'got')).rejects.toThrow(
      'the bias is [2] and must be [3]',
    );
  });

  it.each([
    ['bfloat16', 'bfloat16'],
    ['bfloat16', 'float32'],
    ['float32', 'bfloat16'],
  ] as const)('AsMlpGroupNorm reads %s and writes %s', async (from, to) => {
    const norm = (name: string, x: string, T: GraphAttribute, U: GraphAttribute): GraphNode => ({
      name,
      op: 'AsMlpGroupNorm',
      inputs: [x, 'gain', 'bias'],
      attributes: { T, U, activation: { string: 'gelu' } },
    });
    const run = open(
      [
        norm('y', from === 'bfloat16' ? 'b' : 'x', { type: from }, { type: to }),
        cast('got', 'y', { type: to }, FLOAT),
        norm('wanted', from === 'bfloat16' ? 'f' : 'x', FLOAT, FLOAT),
      ],
      ['gain', 'bias'],
    );
    for (const shape of [
      [1, 1, 3],
      [2, 9, 17],
      [3, 40, 33, 24],
    ]) {
      const channels = shape.at(-1)!;
      const feeds = { x: random(...shape), gain: random(channels), bias: random(channels) };
      const [got, wanted] = await run(feeds, 'got', 'wanted');
      // Half a unit in the last of 8 binary digits.
      const rounding = to === 'bfloat16' ? 2 ** -8 : 1e-6;
      expect(worst(got!, wanted!, (value) => rounding * Math.abs(value) + 1e-6)).toBeLessThanOrEqual(1);
    }
  });

  it('AsMlpShift moves bfloat16 as it moves floats', async () => {
    const attributes = {
      axis: { int: 2 },
      ends: { ints: [19, 40, 43] },
      displacements: { ints: [-1, 0, 2] },
    };
    const run = open([
      { name: 'y', op: 'AsMlpShift', inputs: ['b'], attributes: { ...attributes, T: BFLOAT } },
      cast('got', 'y', BFLOAT, FLOAT),
      { name: 'wanted', op: 'AsMlpShift', inputs: ['f'], attributes },
    ]);
    const [got, wanted] = await run({ x: random(2, 5, 9, 43) }, 'got', 'wanted');
    expect(bits(got!)).toEqual(bits(wanted!));
  });
});
