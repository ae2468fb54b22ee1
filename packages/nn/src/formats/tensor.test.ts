import { AsMlpError } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkGeometry, contiguousStrides, elementCount, readingCost, tensorEntry } from './tensor.ts';

const SIZE = 500;
const values = Float32Array.from({ length: SIZE }, (_, i) => i);
const storage = {
  size: SIZE * 4,
  seekable: true,
  read: async (offset: number, length: number) =>
    new Uint8Array(values.buffer.slice(offset, offset + length)),
};
const spot = { where: 'x.pth, w' };

/** The definition: element (i, j, …) is at offset + i·strides[0] + j·strides[1] + … */
function elements(shape: readonly number[], strides: readonly number[], offset: number): number[] {
  const [extent, ...rest] = shape;
  if (extent === undefined) return [offset];
  return Array.from({ length: extent }, (_, i) =>
    elements(rest, strides.slice(1), offset + i * strides[0]!),
  ).flat();
}

describe('a strided tensor', () => {
  const axis = fc.record({ extent: fc.nat(4), stride: fc.nat(9) });
  const geometry = fc.record({ axes: fc.array(axis, { maxLength: 5 }), offset: fc.nat(350) });

  it('is read element by element as its strides say', async () => {
    await fc.assert(
      fc.asyncProperty(geometry, async ({ axes, offset }) => {
        const shape = axes.map(({ extent }) => extent);
        const strides = axes.map(({ stride }) => stride);
        const entry = tensorEntry({
          ...spot,
          dtype: 'float32',
          shape,
          strides,
          offset,
          storage,
          bigEndian: false,
        });
        expect([...(await entry.read())]).toEqual(elements(shape, strides, offset));
      }),
    );
  });

  it('must lie inside its storage, to the element', () => {
    fc.assert(
      fc.property(geometry, fc.nat(500), ({ axes, offset }, capacity) => {
        const shape = axes.map(({ extent }) => extent);
        const strides = axes.map(({ stride }) => stride);
        const places = elements(shape, strides, offset);
        const fits = places.every((place) => place < capacity);
        const check = () => checkGeometry(spot, { shape, strides, offset }, capacity);
        if (fits) check();
        else expect(check).toThrow(AsMlpError);
      }),
    );
  });

  it('has row-major strides when it is contiguous', () => {
    expect(contiguousStrides([2, 3, 4])).toEqual([12, 4, 1]);
    expect(contiguousStrides([])).toEqual([]);
    expect(contiguousStrides([2, 0, 4])).toEqual([4, 4, 1]);
  });

  it('counts its elements, none where an extent is zero', () => {
    expect(elementCount([2, 3])).toBe(6);
    expect(elementCount([])).toBe(1);
    expect(elementCount([2 ** 50, 0, 2 ** 50])).toBe(0);
  });

  it('costs what it takes from the file or in memory, whichever is more', () => {
    const spec = { ...spot, dtype: 'float32', storage, bigEndian: false, offset: 0 };
    expect(readingCost({ ...spec, shape: [10], strides: [1] })).toBe(40);
    expect(readingCost({ ...spec, shape: [10], strides: [0] })).toBe(40);
    expect(readingCost({ ...spec, shape: [2], strides: [400] })).toBe(401 * 4);
    expect(readingCost({ ...spec, dtype: 'float16', shape: [10], strides: [1] })).toBe(40);
    expect(readingCost({ ...spec, dtype: 'int64', shape: [10], strides: [1] })).toBe(0);
    expect(readingCost({ ...spec, storage: { ...storage, seekable: false }, shape: [2], strides: [1] })).toBe(
      2000,
    );
  });
});
