import { AsMlpError } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { centerCrop, crop } from './crop.ts';
import { checksum, pattern, readGolden } from './golden.fixture.ts';
import type { Region, RgbImage, Size } from './image.ts';
import { resizeLabels } from './opencv.ts';
import {
  cropResize,
  fitInside,
  type ResizeMethod,
  resize,
  resizeCenterCrop,
  resizeCrop,
  shortSideSize,
} from './resize.ts';
import { bicubicFilter, bilinearFilter, type Filter } from './taps.ts';

const METHODS: readonly ResizeMethod[] = ['bicubic', 'bilinear', 'opencv-bilinear', 'nearest'];

type Case = Record<ResizeMethod | 'labels', string> & {
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
};
const { cases } = await readGolden<{ cases: readonly Case[] }>('resize.json');

/** One pass of Pillow's resize in the plainest words: along the rows of a planar image. */
function plainPass(rows: readonly number[][], target: number, filter: Filter): number[][] {
  const source = rows[0]!.length;
  const scale = source / target;
  const stretch = Math.max(1, scale);
  return rows.map((row) =>
    Array.from({ length: target }, (_, i) => {
      const centre = (i + 0.5) * scale;
      const first = Math.max(0, Math.floor(centre - filter.support * stretch + 0.5));
      const end = Math.min(source, Math.floor(centre + filter.support * stretch + 0.5));
      const weights = row
        .slice(first, end)
        .map((_, k) => filter.weight((first + k - centre + 0.5) * (1 / stretch)));
      const sum = weights.reduce((a, b) => a + b, 0);
      const fixed = weights.map((w) => Math.trunc((w / sum) * 2 ** 22 + Math.sign(w) * 0.5));
      const value = fixed.reduce((total, w, k) => total + w * row[first + k]!, 2 ** 21);
      return Math.min(255, Math.max(0, Math.floor(value / 2 ** 22)));
    }),
  );
}

const transpose = (rows: readonly number[][]) => rows[0]!.map((_, x) => rows.map((row) => row[x]!));

/** Pillow's resize in the plainest words. */
function plainResize(image: RgbImage, { height, width }: Size, filter: Filter): RgbImage {
  const lost = image.height - height;
  const verticalFirst = lost > 0 && lost > 2 * (image.width - width);
  const data = new Uint8Array(height * width * 3);
  for (let c = 0; c < 3; c++) {
    let plane = Array.from({ length: image.height }, (_, y) =>
      Array.from({ length: image.width }, (_, x) => image.data[(y * image.width + x) * 3 + c]!),
    );
    if (!verticalFirst) plane = plainPass(plane, width, filter);
    plane = transpose(plainPass(transpose(plane), height, filter));
    if (verticalFirst) plane = plainPass(plane, width, filter);
    plane.flat().forEach((value, i) => {
      data[i * 3 + c] = value;
    });
  }
  return { height, width, data };
}

const side = fc.integer({ min: 1, max: 40 });
const imageOf = (height: number, width: number) =>
  fc
    .uint8Array({ minLength: height * width * 3, maxLength: height * width * 3 })
    .map((data): RgbImage => ({ height, width, data }));
const anyImage = fc.tuple(side, side).chain(([height, width]) => imageOf(height, width));
const anySize = fc.record({ height: side, width: side });
const regionOf = ({ height, width }: Size): fc.Arbitrary<Region> =>
  fc.tuple(fc.nat(height - 1), fc.nat(width - 1)).chain(([top, left]) =>
    fc.record({
      top: fc.constant(top),
      left: fc.constant(left),
      height: fc.integer({ min: 1, max: height - top }),
      width: fc.integer({ min: 1, max: width - left }),
    }),
  );

describe('resize', () => {
  it.each(cases)('equals Pillow and OpenCV to the last bit: $from → $to', ({ from, to, ...expected }) => {
    const image = pattern(...from);
    const size = { height: to[0], width: to[1] };
    for (const method of METHODS) {
      const resized = resize(image, size, method);
      expect({ method, ...size, data: checksum(resized.data) }).toEqual({
        method,
        height: resized.height,
        width: resized.width,
        data: expected[method],
      });
    }
  });

  it.each([
    ['bicubic', bicubicFilter],
    ['bilinear', bilinearFilter],
  ] as const)('is the plain definition of %s on any image', (method, filter) => {
    fc.assert(
      fc.property(anyImage, anySize, (image, size) => {
        expect(resize(image, size, method).data).toEqual(plainResize(image, size, filter).data);
      }),
      { numRuns: 60 },
    );
  });

  it('takes a picture apart in bands without a seam', () => {
    // Wide enough for several bands of 4 MiB, by rows and by columns first.
    for (const [from, size] of [
      [pattern(900, 2600), { height: 1000, width: 2500 }],
      [pattern(2600, 900), { height: 1500, width: 1000 }],
    ] as const) {
      const whole = resize(from, size, 'bicubic');
      for (const top of [0, size.height >> 1, size.height - 3]) {
        const window = { top, left: size.width - 40, height: 3, width: 40 };
        expect(resizeCrop(from, size, window, 'bicubic')).toEqual(crop(whole, window));
      }
    }
  });

  it('keeps flat colour and the range of bytes', () => {
    for (const value of [0, 1, 128, 255]) {
      const image = { height: 7, width: 9, data: new Uint8Array(7 * 9 * 3).fill(value) };
      for (const method of METHODS) {
        expect(new Set(resize(image, { height: 23, width: 4 }, method).data)).toEqual(new Set([value]));
      }
    }
  });

  it('returns the image itself when nothing changes', () => {
    const image = pattern(6, 5);
    for (const method of METHODS) expect(resize(image, { height: 6, width: 5 }, method)).toBe(image);
  });

  it.each([
    [0, 4],
    [4, -1],
    [2.5, 4],
    [Number.NaN, 4],
  ])('refuses a size of %d×%d', (height, width) => {
    expect(() => resize(pattern(3, 3), { height, width }, 'bicubic')).toThrow(AsMlpError);
  });
});

describe('resizeCrop, cropResize', () => {
  it('are resize and crop, bit for bit', () => {
    const inputs = fc.tuple(anyImage, anySize, fc.constantFrom(...METHODS)).chain(([image, size, method]) =>
      fc.record({
        image: fc.constant(image),
        size: fc.constant(size),
        method: fc.constant(method),
        window: regionOf(size),
        region: regionOf(image),
      }),
    );
    fc.assert(
      fc.property(inputs, ({ image, size, method, window, region }) => {
        expect(resizeCrop(image, size, window, method)).toEqual(crop(resize(image, size, method), window));
        expect(cropResize(image, region, size, method)).toEqual(resize(crop(image, region), size, method));
      }),
      { numRuns: 200 },
    );
  });

  it('crop in the middle', () => {
    const image = pattern(30, 47);
    const size = { height: 21, width: 40 };
    const target = { height: 16, width: 17 };
    expect(resizeCenterCrop(image, size, target, 'bicubic')).toEqual(
      centerCrop(resize(image, size, 'bicubic'), target),
    );
  });

  it('refuse rectangles outside', () => {
    const image = pattern(10, 10);
    const window = { top: 3, left: 0, height: 6, width: 2 };
    expect(() => resizeCrop(image, { height: 8, width: 8 }, window, 'bilinear')).toThrow(AsMlpError);
    expect(() => cropResize(image, { ...window, top: 5 }, { height: 8, width: 8 }, 'nearest')).toThrow(
      AsMlpError,
    );
  });
});

describe('resizeLabels', () => {
  it.each(cases)("equals OpenCV's nearest: $from → $to", ({ from: [height, width], to, labels }) => {
    const red = pattern(height, width).data.filter((_, i) => i % 3 === 0);
    const size = { height: to[0], width: to[1] };
    expect(checksum(resizeLabels({ height, width, data: red }, size).data)).toBe(labels);
  });

  it('keeps 16-bit labels', () => {
    const data = Uint16Array.of(0, 300, 65535, 7);
    expect(resizeLabels({ height: 2, width: 2, data }, { height: 1, width: 4 }).data).toEqual(
      Uint16Array.of(0, 0, 300, 300),
    );
  });
});

describe('shortSideSize', () => {
  it.each([
    [300, 400, 256, 341],
    [413, 279, 378, 256],
    [256, 343, 256, 343],
    [500, 256, 500, 256],
    [100, 100, 256, 256],
    [1, 1000, 256, 256000],
  ])('%d×%d becomes %d×%d: the long side truncates', (height, width, toHeight, toWidth) => {
    expect(shortSideSize({ height, width }, 256)).toEqual({ height: toHeight, width: toWidth });
  });
});

it.each([
  [
    { height: 1, width: 1 },
    { height: 800, width: 800 },
  ],
  [
    { height: 20, width: 4000 },
    { height: 7, width: 1333 },
  ],
  [
    { height: 4000, width: 1 },
    { height: 1333, width: 1 },
  ],
  [
    { height: 480, width: 640 },
    { height: 800, width: 1067 },
  ],
])('fits %o into 1333 × 800', (original, fitted) => {
  expect(fitInside(original, 1333, 800)).toEqual(fitted);
});
