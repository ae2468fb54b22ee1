import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeGraphDef, type GraphAttribute } from './graph-def.ts';
import { ProtobufWriter } from './protobuf.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const VERSIONS = '220308d00f';

/** The attribute `a` of the node `n` of the operation `O`, as the bytes of its value. */
function encoded(value: GraphAttribute): string {
  const whole = hex(encodeGraphDef([{ name: 'n', op: 'O', attributes: { a: value } }]));
  const [, attribute] = /^0a..0a016e12014f2a..0a016112..(.*)220308d00f$/.exec(whole) ?? [];
  return attribute ?? `unexpected ${whole}`;
}

describe('ProtobufWriter', () => {
  it.each([
    [0, '0800'],
    [127, '087f'],
    [300, '08ac02'],
    [-1, '08ffffffffffffffffff01'],
    [2n ** 40n, '08808080808020'],
  ])('writes %d as a varint', (value, bytes) => {
    expect(hex(new ProtobufWriter().integer(1, value).finish())).toBe(bytes);
  });

  it('writes fields above 15, floats, text and nested messages', () => {
    const writer = new ProtobufWriter().integer(17, 1).float(4, 1.5).bytes(2, 'é');
    writer.message(3, (inner) => inner.message(1, () => undefined).integers(2, [1, 300]));
    expect(hex(writer.finish())).toBe(`880101${'250000c03f'}${'1202c3a9'}${'1a07'}${'0a00'}${'120301ac02'}`);
    expect(writer.size).toBe(21);
  });

  it('copies bytes when it finishes and not before', () => {
    const bytes = new Uint8Array([1, 2]);
    const writer = new ProtobufWriter().message(1, (inner) => inner.bytes(1, bytes));
    bytes[0] = 9;
    expect(hex(writer.finish())).toBe('0a040a020902');
  });
});

describe('encodeGraphDef', () => {
  it.each<[string, GraphAttribute, string]>([
    ['a type', { type: 'float32' }, '3001'],
    ['types', { types: ['int32', 'resource'] }, '0a0432020314'],
    ['a shape with an unknown size', { shape: [-1, 3] }, '3a11120b08ffffffffffffffffff0112020803'],
    ['a scalar shape', { shape: [] }, '3a00'],
    ['an unknown shape', { shape: undefined }, '3a021801'],
    ['an integer', { int: 5 }, '1805'],
    ['integers', { ints: [1, 2] }, '0a041a020102'],
    ['a float', { float: 1 }, '250000803f'],
    ['a bool', { bool: true }, '2801'],
    ['a string', { string: 'SAME' }, '120453414d45'],
    ['strings', { strings: ['a', 'b'] }, '0a06120161120162'],
    [
      'a tensor',
      { tensor: { dtype: 'int32', shape: [2], data: new Int32Array([1, 2]) } },
      '4212080312041202080222080100000002000000',
    ],
  ])('writes %s', (_name, value, bytes) => {
    expect(encoded(value)).toBe(bytes);
  });

  it('writes inputs, and a version alone for no nodes', () => {
    expect(hex(encodeGraphDef([{ name: 'n', op: 'O', inputs: ['x', '^y'] }]))).toBe(
      `0a0d0a016e12014f1a01781a025e79${VERSIONS}`,
    );
    expect(hex(encodeGraphDef([]))).toBe(VERSIONS);
  });

  it('writes only the part of a buffer that an array shows', () => {
    const data = new Uint8Array([1, 2, 3]).subarray(1, 2);
    expect(encoded({ tensor: { dtype: 'uint8', shape: [], data } })).toBe('420708041200220102');
  });

  it('writes the graph that the self-check runs', () => {
    const graph = encodeGraphDef([
      { name: 'x', op: 'Placeholder', attributes: { dtype: { type: 'float32' } } },
      { name: 'y', op: 'AddV2', inputs: ['x', 'x'], attributes: { T: { type: 'float32' } } },
    ]);
    const script = readFileSync(new URL('../native/self-check.cjs', import.meta.url), 'utf8');
    expect(script).toContain(`'${Buffer.from(graph).toString('base64')}'`);
  });
});
