import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from './engine.ts';
import { expectClose, opened, operation, random, rng, sizeOf, type Values } from './graph-ops.fixture.ts';
import { findNative } from './installed.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

const STRIDES = [4, 8];

/** The weights of a map's cells in one cell of a result, by the definition: the mean of ⌈height⌉·⌈width⌉ interpolations. */
function weightsOf(
  box: readonly number[],
  stride: number,
  size: number,
  bin: readonly number[],
  map: Values,
) {
  const [, height, width] = map.shape as [number, number, number];
  const axis = (low: number, high: number, at: number, cells: number) => {
    const [start, step] = [low / stride - 0.5, (high - low) / stride / size];
    const samples = Math.ceil(step);
    return Array.from({ length: samples }, (_, k) => start + (at + (k + 0.5) / samples) * step)
      .filter((position) => position >= -1 && position <= cells)
      .flatMap((position): [number, number][] => {
        const inside = Math.min(Math.max(position, 0), cells - 1);
        const cell = Math.floor(inside);
        const next = Math.min(cell + 1, cells - 1);
        return [
          [cell, (1 - inside + cell) / samples],
          [next, (inside - cell) / samples],
        ];
      });
  };
  const rows = axis(box[1]!, box[3]!, bin[0]!, height);
  const columns = axis(box[0]!, box[2]!, bin[1]!, width);
  return rows.flatMap(([y, a]) => columns.map(([x, b]) => [y * width + x, a * b] as const));
}

/** Regions of several images and sizes, some of them across or outside of the map. */
function regions(count: number, images: number): number[][] {
  return Array.from({ length: count }, (_, i) => {
    const [x, y] = [150 * rng.next() - 30, 100 * rng.next() - 20];
    const side = i % 3 === 0 ? 150 : 40;
    return [i % images, x, y, x + 3 + side * rng.next(), y + 3 + side * rng.next()];
  });
}

const floats = (rows: readonly (readonly number[])[]): Values => ({
  shape: [rows.length, 5],
  data: Float32Array.from(rows.flat()),
});

describe.skipIf(missing)('AsMlpRoiAlign', () => {
  beforeAll(async () => {
    await openEngine({ engine: 'native', device: 'cpu' });
  });
  afterAll(async () => {
    await Promise.all(opened.map((session) => session.close()));
  });

  const attributes = (size: number) => ({ size: { int: size }, strides: { ints: STRIDES }, N: { int: 2 } });
  const pyramid = (channels: number) => [random([2, 22, 31, channels]), random([2, 11, 16, channels])];

  it.each([
    [1, 3],
    [7, 2],
    [130, 2],
  ])('averages %i channels of the level that fits, into %i² cells', async (channels, size) => {
    const maps = pyramid(channels);
    const rois = regions(20, 2);
    const y = await operation('AsMlpRoiAlign', 3, attributes(size))(floats(rois), ...maps);
    expect(y.shape).toEqual([20, size, size, channels]);
    const wanted = rois.flatMap(([image, ...box]) => {
      const level = (box[2]! - box[0]!) * (box[3]! - box[1]!) < 112 ** 2 ? 0 : 1;
      const map = maps[level]!;
      const start = (image! * sizeOf(map.shape)) / 2;
      return Array.from({ length: size * size }, (_, bin) => {
        const weights = weightsOf(box, STRIDES[level]!, size, [Math.floor(bin / size), bin % size], map);
        return Array.from({ length: channels }, (_, c) =>
          weights.reduce((sum, [cell, weight]) => sum + weight * map.data[start + cell * channels + c]!, 0),
        );
      }).flat();
    });
    expectClose(y.data, wanted, () => 2e-5);
  });

  it.each([1, 64, 100])('has the gradient that belongs to it, of %i channels', async (channels) => {
    const maps = pyramid(channels);
    const rois = floats(regions(12, 2));
    const dy = random([12, 3, 3, channels]);
    const y = await operation('AsMlpRoiAlign', 3, attributes(3))(rois, ...maps);
    const dot = (a: Values, b: Values) => a.data.reduce((sum, value, i) => sum + value * b.data[i]!, 0);
    const gradients = await Promise.all(
      [0, 1].map((level) =>
        operation('AsMlpRoiAlignGradient', 4, attributes(3), [], level)(rois, dy, ...maps),
      ),
    );
    // ⟨dy, A·x⟩ = ⟨Aᵀ·dy, x⟩ for the linear map A, whatever x is.
    const there = dot(dy, y);
    const back = gradients.reduce((sum, gradient, level) => sum + dot(gradient, maps[level]!), 0);
    expect(gradients.map(({ shape }) => shape)).toEqual(maps.map(({ shape }) => shape));
    expect(Math.abs(there - back)).toBeLessThan(1e-4 * (1 + Math.abs(there)));
  });

  it('takes no regions, and regions without extent', async () => {
    const run = operation('AsMlpRoiAlign', 3, attributes(2));
    expect((await run(floats([]), ...pyramid(3))).shape).toEqual([0, 2, 2, 3]);
    const empty = await run(
      floats([
        [0, 5, 5, 5, 5],
        [1, Number.NaN, 0, 4, 4],
      ]),
      ...pyramid(3),
    );
    expect([...empty.data].every((value) => value === 0)).toBe(true);
  });

  it('refuses what does not fit', async () => {
    const run = operation('AsMlpRoiAlign', 3, attributes(2));
    const [fine, coarse] = pyramid(3);
    await expect(run(floats([[2, 0, 0, 4, 4]]), fine!, coarse!)).rejects.toThrow(/a region is of image 2/);
    await expect(run(random([3, 4]), fine!, coarse!)).rejects.toThrow(/rois is \[3, 4\]/);
    await expect(run(floats([]), fine!, random([2, 4, 4, 2]))).rejects.toThrow(/a map is \[2, 4, 4, 2\]/);
  });
});
