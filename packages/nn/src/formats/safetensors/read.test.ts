import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { bytesSource, openWeights, type WeightFile } from '../index.ts';
import { floats, join } from '../zip.fixture.ts';

const FOUR = floats(1, 2, 3, 4);

function file(header: string | object, data: Uint8Array = FOUR, length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? header : JSON.stringify(header);
  const bytes = new TextEncoder().encode(text);
  const size = new DataView(new ArrayBuffer(8));
  size.setBigUint64(0, length ?? BigInt(bytes.length), true);
  return join([new Uint8Array(size.buffer), bytes, data]);
}

const open = (...parts: Parameters<typeof file>): Promise<WeightFile> =>
  openWeights(bytesSource('x.safetensors', file(...parts)));
/** A header's text for one tensor `a` of four float32, with fields replaced. */
const one = (fields: Record<string, string>): string => {
  const all = { dtype: '"F32"', shape: '[4]', data_offsets: '[0,16]', ...fields };
  return `{"a":{${Object.entries(all)
    .map(([key, value]) => `"${key}":${value}`)
    .join(',')}}}`;
};

describe('a safetensors file', () => {
  it('gives its tensors and strings', async () => {
    const { entries, metadata } = await open({
      __metadata__: { format: 'pt', note: 'a "b"\n' },
      a: { dtype: 'F32', shape: [3], data_offsets: [4, 16] },
      'b.c': { dtype: 'F32', shape: [], data_offsets: [0, 4] },
    });
    expect([...entries.keys()]).toEqual(['a', 'b.c']);
    expect([...(await entries.get('a')!.read())]).toEqual([2, 3, 4]);
    expect([...(await entries.get('b.c')!.read())]).toEqual([1]);
    expect(metadata).toEqual({ format: 'pt', note: 'a "b"\n' });
  });

  it('may be padded and spaced', async () => {
    const spaced = ' {\n "a" : { "shape" : [ 2 , 2 ] , "dtype":"F32","data_offsets":[0,16]\t} }   ';
    await expect(open(spaced)).rejects.toThrow(AsMlpError); // the brace must come first
    expect((await open(spaced.trimStart())).entries.get('a')!.shape).toEqual([2, 2]);
  });

  it('may be empty, and hold empty tensors', async () => {
    expect((await open({}, new Uint8Array(0))).entries.size).toBe(0);
    const { entries } = await open(one({ shape: '[0,7]', data_offsets: '[0,0]' }), new Uint8Array(0));
    expect(await entries.get('a')!.read()).toHaveLength(0);
  });

  it('may be of half and double precision', async () => {
    const half = await open(one({ dtype: '"F16"', shape: '[8]' }), new Uint8Array(16).fill(0x3c));
    expect((await half.entries.get('a')!.read())[0]).toBeCloseTo(1.0586, 3);
    const double = await open(
      one({ dtype: '"F64"', shape: '[2]' }),
      new Uint8Array(Float64Array.of(1, -2).buffer),
    );
    expect([...(await double.entries.get('a')!.read())]).toEqual([1, -2]);
  });

  it.each([
    ['I64', 'int64', 2],
    ['U8', 'uint8', 16],
    ['BOOL', 'bool', 16],
    ['F8_E4M3', 'float8_e4m3fn', 16],
  ])('lists %s, and does not read it', async (type, dtype, count) => {
    const { entries } = await open(one({ dtype: `"${type}"`, shape: `[${count}]` }));
    expect(entries.get('a')).toMatchObject({ dtype, shape: [count] });
    await expect(entries.get('a')!.read()).rejects.toThrow(
      `x.safetensors, a: is ${dtype}, not floating point`,
    );
  });

  it('keeps names that are parts of JavaScript objects apart', async () => {
    const file = await open(
      '{"__metadata__":{"__proto__":"x","constructor":"y"},"__proto__":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}',
    );
    expect([...file.entries.keys()]).toEqual(['__proto__']);
    expect(Object.keys(file.metadata)).toEqual(['constructor']);
    expect(Object.getPrototypeOf(file.metadata)).toBeNull();
  });

  it.each<[string, string]>([
    ['an unknown type', one({ dtype: '"F33"' })],
    ['a type that is a part of an object', one({ dtype: '"constructor"' })],
    ['a type that is a number', one({ dtype: '1' })],
    ['a negative extent', one({ shape: '[-4]' })],
    ['a negative zero', one({ shape: '[-0]' })],
    ['an extent with an exponent', one({ shape: '[4e0]' })],
    ['an extent with a point', one({ shape: '[4.0]' })],
    ['an extent with a leading zero', one({ shape: '[04]' })],
    ['an extent with a sign', one({ shape: '[+4]' })],
    ['an extent in quotes', one({ shape: '["4"]' })],
    ['an extent that is null', one({ shape: '[null]' })],
    ['extents that multiply past 2^64', one({ shape: '[4294967296,4294967296,4]' })],
    [
      'extents that multiply past 2^64 beside a zero',
      one({ shape: '[4294967296,0,4294967296]', data_offsets: '[0,0]' }),
    ],
    ['an extent of 2^64', one({ shape: '[18446744073709551616]' })],
    ['an extent of 300 digits', one({ shape: `[${'9'.repeat(300)}]` })],
    ['a thousand extents', one({ shape: `[${new Array(1000).fill(1)}]` })],
    ['a shape that is no list', one({ shape: '4' })],
    ['a shape that fills more than its span', one({ shape: '[5]' })],
    ['a shape that fills less than its span', one({ shape: '[3]' })],
    ['a span beyond the file', one({ shape: '[400]', data_offsets: '[0,1600]' })],
    ['a span from end to start', one({ data_offsets: '[16,0]' })],
    ['a span with a fraction', one({ data_offsets: '[0,16.0]' })],
    ['a span of one number', one({ data_offsets: '[16]' })],
    ['a span of three numbers', one({ data_offsets: '[0,16,16]' })],
    ['an unknown field', one({ strides: '[1]' })],
    ['a missing field', '{"a":{"dtype":"F32","shape":[4]}}'],
    ['a field twice', '{"a":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}}'],
    ['a tensor that is null', '{"a":null}'],
    ['a tensor that is a list', '{"a":[]}'],
    ['metadata that are no strings', '{"__metadata__":{"a":1}}'],
    ['metadata that are nested', '{"__metadata__":{"a":{"b":"c"}}}'],
    ['metadata that are null', '{"__metadata__":null}'],
    ['metadata twice', '{"__metadata__":{},"__metadata__":{}}'],
    ['a metadata string twice', '{"__metadata__":{"a":"","a":""}}'],
    ['nothing but a brace', '{'],
    ['a trailing comma', '{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},}'],
    ['a comment', '{/**/}'],
    ['no quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['something after it', `${one({})}{}`],
    ['a zero byte after it', `${one({})}\0`],
    ['a string without end', '{"a'],
    ['a string that ends in a backslash', '{"a\\'],
    ['a string with a line break', '{"a\n":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'],
    ['a string with an unknown escape', '{"\\q":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'],
    ['half a character', '{"\\ud800":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'],
    ['deep nesting', `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['deep nesting of objects', '{"a":'.repeat(100_000)],
  ])('is refused for a header with %s', async (_, header) => {
    await expect(open(header)).rejects.toThrow(AsMlpError);
    await expect(open(header)).rejects.toThrow('x.safetensors');
  });

  it('is refused for one name in two spellings', async () => {
    const tensor = (start: number) => `{"dtype":"F32","shape":[2],"data_offsets":[${start},${start + 8}]}`;
    await expect(open(`{"a":${tensor(0)},"\\u0061":${tensor(8)}}`)).rejects.toThrow('names "a" twice');
  });

  it('is refused for a header that is no UTF-8', async () => {
    const bytes = file(one({}));
    bytes[10] = 0xff;
    await expect(openWeights(bytesSource('x.safetensors', bytes))).rejects.toThrow('has a malformed string');
  });

  it.each<[string, number[][], number]>([
    [
      'overlap',
      [
        [0, 16],
        [8, 16],
      ],
      16,
    ],
    [
      'overlap entirely',
      [
        [0, 16],
        [0, 16],
      ],
      16,
    ],
    [
      'leave a hole',
      [
        [0, 4],
        [12, 16],
      ],
      16,
    ],
    ['leave the start', [[4, 16]], 16],
    ['leave the end', [[0, 12]], 16],
  ])('is refused for spans that %s', async (_, spans, size) => {
    const header = Object.fromEntries(
      spans.map(([start, end], i) => [
        `t${i}`,
        { dtype: 'F32', shape: [(end! - start!) / 4], data_offsets: [start, end] },
      ]),
    );
    await expect(open(header, new Uint8Array(size))).rejects.toThrow(
      /overlaps|leaves a hole|after its last tensor/,
    );
  });

  it.each<[string, bigint]>([
    ['of 2^63 bytes', 2n ** 63n],
    ['of 2^64 - 1 bytes', 2n ** 64n - 1n],
    ['beyond the file', 1_000_000n],
    ['beyond the limit', 100_000_001n],
    ['one byte too long', BigInt(one({}).length) + 17n],
  ])('is refused for a header %s', async (_, length) => {
    await expect(open(one({}), FOUR, length)).rejects.toThrow(AsMlpError);
  });

  it('that is cut off anywhere is refused', async () => {
    const bytes = file(one({}));
    for (let length = 0; length < bytes.length; length++) {
      const cut = openWeights(bytesSource('x.safetensors', bytes.slice(0, length)));
      await expect(cut, `${length} bytes`).rejects.toThrow(AsMlpError);
    }
  });

  it('is refused for more tensors than networks have', async () => {
    const empty = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
    const many = Array.from({ length: 20_001 }, (_, i) => `"${i}":${empty}`).join(',');
    await expect(open(`{${many}}`, new Uint8Array(0))).rejects.toThrow('names more than 20000 tensors');
  });
});
