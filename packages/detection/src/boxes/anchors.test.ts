import { expect, it } from 'vitest';
import { floats, golden, worst } from '../golden.fixture.ts';
import { anchors, validAnchors } from './anchors.ts';

interface Expected {
  readonly strides: readonly number[];
  readonly sizes: readonly [number, number][];
  readonly expected: readonly number[][][];
  readonly valid_pad_shape: [number, number];
  readonly valid: readonly number[][];
  readonly full: { sizes: [number, number][]; total: number; index: number[]; expected: number[][] };
}
const { strides, sizes, expected, valid_pad_shape, valid, full } = golden<Expected>('unit/anchors.json');
const size = ([height, width]: readonly [number, number]) => ({ height, width });

it('are the official ones', () => {
  for (const [level, stride] of strides.entries()) {
    expect(worst(anchors(size(sizes[level]!), stride), floats(expected[level]))).toBeLessThan(1e-4);
  }
});

it('are the official ones for an image of 800×1344', () => {
  const all = full.sizes.map((one, level) => anchors(size(one), strides[level]!));
  const joined = floats(all.map((level) => [...level]));
  expect(joined.length / 4).toBe(full.total);
  const probes = full.index.map((index) => [...joined.subarray(index * 4, index * 4 + 4)]);
  expect(worst(floats(probes), floats(full.expected))).toBeLessThan(1e-4);
});

it('can be had one by one', () => {
  const all = anchors({ height: 3, width: 5 }, 8);
  expect(anchors({ height: 3, width: 5 }, 8, [44, 7])).toEqual(
    Float32Array.of(...all.subarray(44 * 4), ...all.subarray(28, 32)),
  );
});

it('are valid where the image has its own canvas', () => {
  for (const [level, stride] of strides.entries()) {
    const flags = validAnchors(size(sizes[level]!), stride, size(valid_pad_shape));
    expect([...flags.keys()].filter((index) => flags[index])).toEqual(valid[level]);
  }
});
