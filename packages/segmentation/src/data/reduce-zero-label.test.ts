import { describe, expect, it } from 'vitest';
import { golden, labelMap } from '../golden.fixture.ts';
import { reduceZeroLabel } from './reduce-zero-label.ts';

describe('reduceZeroLabel', () => {
  const { table, sample_in, sample_out } = golden<{
    table: number[];
    sample_in: number[][];
    sample_out: number[][];
  }>('unit/reduce_zero_label.json');

  it('maps every byte as the reference', () => {
    expect([...reduceZeroLabel(labelMap([table.map((_, i) => i)])).data]).toEqual(table);
    expect(reduceZeroLabel(labelMap(sample_in))).toEqual(labelMap(sample_out));
  });

  it('keeps 16 bits', () => {
    const { data } = reduceZeroLabel({ height: 1, width: 4, data: Uint16Array.of(0, 1, 800, 65535) }, 65_535);
    expect(data).toEqual(Uint16Array.of(65535, 0, 799, 65535));
  });
});
