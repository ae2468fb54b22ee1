import { AsMlpError } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { engineShape, type Layout, toEngineLayout, toOfficialLayout } from './layout.ts';

const counting = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i);

describe('toEngineLayout', () => {
  it('leaves plain tensors alone', () => {
    const data = counting(6);
    expect(toEngineLayout('plain', data, [2, 3])).toBe(data);
    expect(engineShape('plain', [2, 3])).toEqual([2, 3]);
  });

  it('transposes a linear weight', () => {
    // official [out 2, in 3]: rows 0 1 2 and 3 4 5
    expect(engineShape('linear', [2, 3])).toEqual([3, 2]);
    expect([...toEngineLayout('linear', counting(6), [2, 3])]).toEqual([0, 3, 1, 4, 2, 5]);
  });

  it('brings OIHW to HWIO', () => {
    // [out 2, in 1, 2, 2]: kernels 0 1 / 2 3 and 4 5 / 6 7
    expect(engineShape('conv', [2, 1, 2, 2])).toEqual([2, 2, 1, 2]);
    expect([...toEngineLayout('conv', counting(8), [2, 1, 2, 2])]).toEqual([0, 4, 1, 5, 2, 6, 3, 7]);
  });

  it('brings a transposed convolution from [in, out, kh, kw] to [kh, kw, out, in]', () => {
    expect(engineShape('convTranspose', [4, 3, 2, 5])).toEqual([2, 5, 3, 4]);
    const engine = toEngineLayout('convTranspose', counting(120), [4, 3, 2, 5]);
    const [input, output, y, x] = [3, 1, 1, 4];
    const official = ((input * 3 + output) * 2 + y) * 5 + x;
    expect(engine[((y * 5 + x) * 3 + output) * 4 + input]).toBe(official);
  });

  it('brings a linear layer over a map from (channel, row, column) to (row, column, channel)', () => {
    expect(engineShape('linear7x7', [2, 3 * 49])).toEqual([7, 7, 3, 2]);
    const engine = toEngineLayout('linear7x7', counting(2 * 147), [2, 147]);
    const [output, channel, y, x] = [1, 2, 4, 5];
    expect(engine[((y * 7 + x) * 3 + channel) * 2 + output]).toBe(output * 147 + channel * 49 + y * 7 + x);
    expect(toOfficialLayout('linear7x7', engine, [2, 147])).toEqual(counting(2 * 147));
    expect(() => engineShape('linear7x7', [2, 50])).toThrow('50 inputs are not channels of a map of 7×7');
  });

  it('is undone by toOfficialLayout, at sizes around a tile', () => {
    const extent = fc.integer({ min: 0, max: 70 });
    const kernel = fc.integer({ min: 1, max: 3 });
    const layout = fc.constantFrom<Layout>('conv', 'convTranspose', 'linear');
    fc.assert(
      fc.property(layout, extent, extent, kernel, kernel, (name, first, second, height, width) => {
        const shape = name === 'linear' ? [first, second] : [first, second, height, width];
        const data = counting(shape.reduce((product, size) => product * size, 1));
        const engine = toEngineLayout(name, data, shape);
        expect(toOfficialLayout(name, engine, shape)).toEqual(data);
      }),
    );
  });

  it('refuses shapes and values that do not fit', () => {
    expect(() => engineShape('conv', [2, 3])).toThrow(
      'the layout "conv" needs 4 axes, the shape [2,3] has 2',
    );
    expect(() => toEngineLayout('linear', counting(5), [2, 3])).toThrow(AsMlpError);
    expect(() => toOfficialLayout('plain', counting(5), [2, 3])).toThrow('was given 5 values');
  });
});
