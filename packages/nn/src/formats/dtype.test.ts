import { describe, expect, it } from 'vitest';
import { isReadable, itemSize, toFloat32 } from './dtype.ts';

const bytesOf = (array: Float32Array | Float64Array | Uint16Array): Uint8Array =>
  new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
const convert = (array: Float32Array | Float64Array | Uint16Array, dtype: string): number[] => [
  ...toFloat32(bytesOf(array), dtype, false),
];

describe('toFloat32', () => {
  it('reads half precision: normal, smallest, largest, zero, special', () => {
    const bits = [0x3c00, 0xc000, 0x3555, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x8000, 0x7c00, 0xfc00, 0x7e00];
    const values = convert(Uint16Array.from(bits), 'float16');
    expect(values.slice(0, 3)).toEqual([1, -2, 0.333251953125]);
    expect(values.slice(3, 7)).toEqual([2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504]);
    expect(values.slice(7)).toEqual([-0, Infinity, -Infinity, NaN]);
  });

  it('reads bfloat16', () => {
    const bits = [0x3f80, 0xc000, 0x4049, 0x0001, 0x7f80];
    expect(convert(Uint16Array.from(bits), 'bfloat16')).toEqual([1, -2, 3.140625, 2 ** -133, Infinity]);
  });

  it('rounds double precision', () => {
    expect(convert(Float64Array.of(0.1, -3, 1e300), 'float64')).toEqual([Math.fround(0.1), -3, Infinity]);
  });

  it('does not copy float32 that has its buffer to itself, and copies a part of a larger one', () => {
    const whole = bytesOf(Float32Array.of(1, 2));
    expect(toFloat32(whole, 'float32', false).buffer).toBe(whole.buffer);
    const shifted = new Uint8Array(9).subarray(1);
    shifted.set(whole);
    const copied = toFloat32(shifted, 'float32', false);
    expect([...copied]).toEqual([1, 2]);
    expect(copied.buffer.byteLength).toBe(8);
  });

  it.each(['float64', 'float16', 'bfloat16'])('reads %s at an odd place', (dtype) => {
    const shifted = new Uint8Array(17).subarray(1);
    expect([...toFloat32(shifted, dtype, false)]).toEqual(new Array(16 / itemSize(dtype)!).fill(0));
  });

  it('swaps big-endian elements', () => {
    expect([...toFloat32(Uint8Array.of(0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0), 'float32', true)]).toEqual([1, -2]);
    expect([...toFloat32(Uint8Array.of(0x3c, 0x00), 'float16', true)]).toEqual([1]);
    expect([...toFloat32(Uint8Array.of(0x3f, 0xf0, 0, 0, 0, 0, 0, 0), 'float64', true)]).toEqual([1]);
  });
});

describe('element types', () => {
  it('are known by size', () => {
    expect(['float64', 'int64', 'bool', 'complex64'].map(itemSize)).toEqual([8, 8, 1, 8]);
    expect(['float33', 'constructor', '__proto__'].map(itemSize)).toEqual([undefined, undefined, undefined]);
  });

  it('are readable when they are floating point', () => {
    expect(['float32', 'bfloat16', 'int64', 'bool', 'complex64'].map(isReadable)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
