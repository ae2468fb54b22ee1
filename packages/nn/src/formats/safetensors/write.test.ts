import { AsMlpError } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource, encodeSafetensors, openWeights } from '../index.ts';
import { VARIANTS } from '../pack.fixture.ts';

describe('encodeSafetensors', () => {
  it('lays a file out as the reference implementation does', () => {
    const bytes = encodeSafetensors(
      [
        { name: 'b', shape: [2], data: Float32Array.of(1, 2) },
        { name: 'a.w', shape: [1, 1], data: Float32Array.of(-1) },
      ],
      { format: 'pt' },
    );
    const header =
      '{"__metadata__":{"format":"pt"},"a.w":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}';
    const padded = Math.ceil(header.length / 8) * 8;
    expect(new DataView(bytes.buffer).getBigUint64(0, true)).toBe(BigInt(padded));
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + padded))).toBe(header.padEnd(padded));
    expect([...new Float32Array(bytes.buffer, 8 + padded)]).toEqual([-1, 1, 2]);
  });

  it('writes the bytes that the reference implementation wrote', async () => {
    const original = VARIANTS.files.get('weights.safetensors')!;
    const { entries } = await openWeights(bytesSource('weights.safetensors', original));
    const headerSize = Number(new DataView(original.buffer, original.byteOffset).getBigUint64(0, true));
    const header = new TextDecoder().decode(original.subarray(8, 8 + headerSize));
    // The reference writes several metadata strings in no order; take the one of this file.
    const metadata = JSON.parse(header).__metadata__ as Record<string, string>;
    const tensors = [];
    for (const [name, entry] of entries) tensors.push({ name, shape: entry.shape, data: await entry.read() });
    expect(Buffer.compare(encodeSafetensors(tensors.reverse(), metadata), original)).toBe(0);
  });

  it('writes a file that reads back equal, whatever the names, shapes and strings', async () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => text !== '__metadata__');
    const shape = fc.array(fc.nat(4), { maxLength: 4 });
    const tensors = fc.uniqueArray(fc.tuple(name, shape), { selector: ([text]) => text, maxLength: 8 });
    // An object of JavaScript cannot be spread with a key of its own by this name.
    const key = fc.string({ unit: 'grapheme' }).filter((text) => text !== '__proto__');
    const metadata = fc.dictionary(key, fc.string({ unit: 'grapheme' }), { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(tensors, metadata, async (named, strings) => {
        const given = named.map(([text, extents], at) => ({
          name: text,
          shape: extents,
          data: Float32Array.from({ length: extents.reduce((n, e) => n * e, 1) }, (_, i) => at * 100 + i),
        }));
        const bytes = encodeSafetensors(given, strings);
        const file = await openWeights(bytesSource('x.safetensors', bytes));
        expect({ ...file.metadata }).toEqual({ ...strings });
        expect(file.entries.size).toBe(given.length);
        for (const one of given) {
          expect(file.entries.get(one.name)!.shape).toEqual(one.shape);
          expect(await file.entries.get(one.name)!.read()).toEqual(one.data);
        }
      }),
    );
  });

  it('writes whole numbers', async () => {
    const bytes = encodeSafetensors([{ name: 'a', shape: [2], data: Int32Array.of(-7, 2 ** 30) }]);
    const entry = (await openWeights(bytesSource('a', bytes))).entries.get('a')!;
    expect(entry.dtype).toBe('int32');
    expect([...new Int32Array(bytes.slice(-8).buffer)]).toEqual([-7, 2 ** 30]);
  });

  it('sorts names by code point', () => {
    const tensors = ['\u{1f600}', '\uffee', 'a', 'B', 'aa'].map((name) => ({
      name,
      shape: [0],
      data: new Float32Array(0),
    }));
    const text = new TextDecoder().decode(encodeSafetensors(tensors));
    const places = ['"B"', '"a"', '"aa"', '"\uffee"', '"\u{1f600}"'].map((name) => text.indexOf(name));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  it('takes a view of a larger buffer', () => {
    const data = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const bytes = encodeSafetensors([{ name: 'a', shape: [2], data }]);
    expect([...new Float32Array(bytes.slice(-8).buffer)]).toEqual([1, 2]);
  });

  it.each<[string, string, number[], number]>([
    ['a reserved name', '__metadata__', [1], 1],
    ['too few values', 'a', [2, 2], 3],
    ['a negative extent', 'a', [-1], 1],
    ['a fractional extent', 'a', [0.5, 2], 1],
  ])('refuses %s', (_, name, shape, count) => {
    const encode = () => encodeSafetensors([{ name, shape, data: new Float32Array(count) }]);
    expect(encode).toThrow(AsMlpError);
  });

  it('refuses a name that comes twice', () => {
    const tensor = { name: 'a', shape: [1], data: new Float32Array(1) };
    expect(() => encodeSafetensors([tensor, tensor])).toThrow('a: two tensors have this name');
  });
});
