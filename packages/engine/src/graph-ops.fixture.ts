import { createRng } from '@as-mlp/base';
import { expect } from 'vitest';
import { encodeGraphDef, type GraphAttribute, type GraphNode } from './graph-def.ts';
import { type GraphSession, openGraphSession } from './graph-session.ts';

export type Attributes = Readonly<Record<string, GraphAttribute>>;
export interface Values {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
export const rng = createRng(7);

/** Numbers of a normal distribution. */
export function random(shape: readonly number[], mean = 0, deviation = 1): Values {
  return { shape, data: rng.normal(sizeOf(shape)).map((value) => mean + deviation * value) };
}

export const opened: GraphSession[] = [];

/** A session of one operation whose inputs are fed and which gives one of its outputs. */
export function operation(
  op: string,
  inputs: number,
  attributes: Attributes = {},
  fixed: readonly Values[] = [],
  output = 0,
) {
  const names = Array.from({ length: inputs }, (_, i) => `x${i}`);
  const nodes: GraphNode[] = names.map((name) => ({
    name,
    op: 'Placeholder',
    attributes: { dtype: { type: 'float32' } },
  }));
  const constants = fixed.map((tensor, i) => ({
    name: `c${i}`,
    op: 'Const',
    attributes: {
      dtype: { type: 'float32' } as const,
      value: { tensor: { dtype: 'float32' as const, ...tensor } },
    },
  }));
  const all = [...names, ...constants.map(({ name }) => name)];
  const graph = encodeGraphDef([...nodes, ...constants, { name: 'y', op, inputs: all, attributes }]);
  const session = openGraphSession(graph);
  opened.push(session);
  return async (...tensors: readonly Values[]): Promise<Values> => {
    const feeds = tensors.map((tensor, i) => ({ name: names[i]!, dtype: 'float32' as const, ...tensor }));
    const [y] = await session.run(feeds, [output === 0 ? 'y' : `y:${output}`]);
    return y as Values;
  };
}

/** Φ by its series or continued fraction, to about 1e-15. */
export function normalCdf(x: number): number {
  if (Number.isNaN(x)) return x;
  const a = Math.abs(x);
  const density = Math.exp((-a * a) / 2) / Math.sqrt(2 * Math.PI);
  let tail: number;
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let k = 3; k < 120; k += 2) sum += term *= (a * a) / k;
    tail = 0.5 - density * sum;
  } else {
    let fraction = 0;
    for (let k = 200; k > 0; k--) fraction = k / (a + fraction);
    tail = a > 40 ? 0 : density / (a + fraction);
  }
  return x < 0 ? tail : 1 - tail;
}

export const gelu = (x: number) => (x === Number.NEGATIVE_INFINITY ? 0 : x * normalCdf(x));

/** No number is further from what is wanted than its measure; NaN and infinities are the same. */
export function expectClose(
  got: Float32Array,
  wanted: readonly number[],
  measure: (i: number) => number,
): void {
  expect(got.length).toBe(wanted.length);
  const bad = wanted.findIndex((value, i) => {
    const difference = Math.abs(value - got[i]!);
    return Number.isFinite(value) ? !(difference <= measure(i)) : !Object.is(value, got[i]);
  });
  if (bad >= 0) expect.fail(`element ${bad} is ${got[bad]} and should be ${wanted[bad]}`);
}
