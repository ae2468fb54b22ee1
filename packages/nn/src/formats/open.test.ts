import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { bytesSource, encodeSafetensors, openWeights } from './index.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('openWeights', () => {
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'is empty'],
    ['a web page', encode('\n<!DOCTYPE html><html></html>'), 'is a web page, not a weight file'],
    ['a pointer', encode('version https://git-lfs.github.com/spec/v1\n'), 'is a pointer to a large file'],
    ['a gzip file', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0), 'is compressed by gzip'],
    ['a tar archive', encode(`${'x'.repeat(257)}ustar`), 'is a tar archive'],
    ['one byte', Uint8Array.of(0x80), 'is neither a .pth nor a .safetensors file'],
    ['other bytes', encode('\x1b[31mhello'), 'it begins with "\\u001b[31mhello"'],
    [
      'an empty zip file',
      encode(`PK\x05\x06${'\0'.repeat(18)}`),
      'no PyTorch checkpoint: it has no data.pkl',
    ],
  ])('says what %s is', async (_, bytes, message) => {
    const opened = openWeights(bytesSource('a/b.pth', bytes));
    await expect(opened).rejects.toThrow(AsMlpError);
    await expect(opened).rejects.toThrow('a/b.pth: ');
    await expect(opened).rejects.toThrow(message);
  });

  it('tells the format from the content, not from the name', async () => {
    const bytes = encodeSafetensors([{ name: 'a', shape: [1], data: Float32Array.of(1) }]);
    expect((await openWeights(bytesSource('a.pth', bytes))).format).toBe('safetensors');
  });

  it('also for a header whose length looks like the beginning of a pickle', async () => {
    // A header of 0x280 bytes begins with 80 02, as a pickle of protocol 2 does.
    const bare = encodeSafetensors([{ name: 'a', shape: [0], data: new Float32Array(0) }], { note: '' });
    const note = 'x'.repeat(0x280 - (bare.length - 8));
    const bytes = encodeSafetensors([{ name: 'a', shape: [0], data: new Float32Array(0) }], { note });
    expect([...bytes.subarray(0, 3)]).toEqual([0x80, 0x02, 0]);
    expect((await openWeights(bytesSource('a', bytes))).format).toBe('safetensors');
  });

  it('does not take a short answer for a file', async () => {
    const bytes = encodeSafetensors([{ name: 'a', shape: [2], data: Float32Array.of(1, 2) }]);
    const source = bytesSource('a.safetensors', bytes);
    const short = {
      ...source,
      read: async (at: number, n: number) => (await source.read(at, n)).subarray(0, 5),
    };
    await expect(openWeights(short)).rejects.toThrow(
      `a.safetensors: gave 5 of the ${bytes.length} bytes at 0`,
    );
  });

  it('hands out copies of bytes in memory', async () => {
    const bytes = encodeSafetensors([{ name: 'a', shape: [1], data: Float32Array.of(1) }]);
    const entry = (await openWeights(bytesSource('a', bytes))).entries.get('a')!;
    (await entry.read())[0] = 5;
    expect([...(await entry.read())]).toEqual([1]);
  });
});
