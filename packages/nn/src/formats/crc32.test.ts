import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from './crc32.ts';

/** The definition: one bit at a time. */
function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('crc32', () => {
  it('gives the check value of the standard', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it('follows the definition for every length and alignment, in one piece and in two', () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(bytes, fc.nat(7), fc.nat(200), (content, offset, cut) => {
        const shifted = new Uint8Array(content.length + offset).subarray(offset);
        shifted.set(content);
        const split = Math.min(cut, content.length);
        const expected = bitwise(content);
        expect(crc32(shifted)).toBe(expected);
        expect(crc32(shifted.subarray(split), crc32(shifted.subarray(0, split)))).toBe(expected);
      }),
    );
  });
});
