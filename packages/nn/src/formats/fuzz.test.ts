import { AsMlpError } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource, encodeSafetensors, openWeights } from './index.ts';
import { readAll } from './pack.fixture.ts';
import { call, checkpoint, dict, int, name, PROTO, pickle, tensor, text } from './pickle.fixture.ts';
import { floats, join, torchRecords, zip } from './zip.fixture.ts';

/** Small files with a bit of everything, so that most changes hit something that matters. */
const PKL = checkpoint(
  tensor({ size: [2, 2], stride: [1, 2] }),
  text('epoch'),
  int(3),
  text('config'),
  `${name('yacs.config', 'CfgNode')})\x81(${text('A')}${call(name('__builtin__', 'set'), ']')}u`,
);
const LEGACY = join([
  pickle(`${PROTO}\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.`, `${PROTO}${int(1001)}.`),
  pickle(`${PROTO}${dict(text('little_endian'), '\x88')}.`),
  pickle(`${PROTO}${dict(text('w'), tensor())}.`, `${PROTO}](${text('0')}e.`, '\x04\0\0\0\0\0\0\0'),
  floats(1, 2, 3, 4),
]);
const BIG_ENDIAN = { name: 'archive/byteorder', data: new TextEncoder().encode('big') };
const FILES: Record<string, Uint8Array> = {
  stored: zip(torchRecords(PKL)),
  deflated: zip(torchRecords(PKL).map((record) => ({ ...record, deflate: true }))),
  bigEndian: zip(torchRecords(PKL, BIG_ENDIAN), { wide: {} }),
  legacy: LEGACY,
  safetensors: encodeSafetensors(
    [
      { name: 'a', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
      { name: 'b', shape: [], data: Float32Array.of(5) },
    ],
    { format: 'pt' },
  ),
};
/** Containers with checksums over everything that says what the weights are. */
const CHECKED = ['stored', 'deflated', 'bigEndian'];

/** The tensors of a file as text, or undefined when it is refused; anything else fails the test. */
async function outcome(bytes: Uint8Array): Promise<string | undefined> {
  try {
    const values = await readAll(await openWeights(bytesSource('x', bytes)));
    return JSON.stringify([...values].map(([key, data]) => [key, [...data]]));
  } catch (error) {
    expect(error).toBeInstanceOf(AsMlpError);
    return undefined;
  }
}

describe.each(Object.entries(FILES))('a damaged file (%s)', (kind, good) => {
  const check = async (damaged: Uint8Array): Promise<void> => {
    const expected = await outcome(good);
    const actual = await outcome(damaged);
    if (CHECKED.includes(kind) && actual !== undefined) expect(actual).toBe(expected);
  };

  it('is whole to begin with', async () => {
    expect(await outcome(good)).toMatch(/1,2,3,4|1,3,2,4|4\.6006/);
  });

  it('with any one byte changed is refused or the same', async () => {
    for (let at = 0; at < good.length; at++) {
      for (const mask of [0x01, 0x20, 0x80, 0xff]) {
        const damaged = good.slice();
        damaged[at]! ^= mask;
        await check(damaged);
      }
    }
  });

  it('with some bytes changed, cut, repeated or inserted is refused or the same', async () => {
    const place = fc.nat(good.length - 1);
    const edit = fc.oneof(
      fc.record({ at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) }).map(({ at, bytes }) => {
        return (file: Uint8Array) => join([file.slice(0, at), bytes, file.slice(at + bytes.length)]);
      }),
      fc.tuple(place, place).map(([at, other]) => (file: Uint8Array) => {
        return join([file.slice(0, Math.min(at, other)), file.slice(Math.max(at, other))]);
      }),
      fc.tuple(place, place, fc.nat(40)).map(([at, from, length]) => (file: Uint8Array) => {
        return join([file.slice(0, at), file.slice(from, from + length), file.slice(at)]);
      }),
      place.map((at) => (file: Uint8Array) => file.slice(0, at)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        await check(edits.reduce((file, apply) => apply(file), good));
      }),
      { numRuns: 300 },
    );
  });
});
