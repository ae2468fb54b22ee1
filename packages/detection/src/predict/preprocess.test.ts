import { expect, it } from 'vitest';
import { channelsLast, floats, golden, worst } from '../golden.fixture.ts';
import { COCO_PREPROCESSING, prepareImage } from './preprocess.ts';

interface Case {
  readonly bgr: number[][][];
  readonly scale: [number, number];
  readonly ori_shape: [number, number];
  readonly img_shape: [number, number];
  readonly pad_shape: [number, number];
  readonly scale_factor: number[];
  readonly probe_index: number[];
  readonly probe: number[];
}
const { cases } = golden<{ cases: readonly Case[] }>('unit/preprocess.json');

it.each(cases)('prepares an image of $ori_shape as officially', (one) => {
  const [height, width] = one.ori_shape;
  const rgb = one.bgr.flat().map(([blue, green, red]) => [red!, green!, blue!]);
  const image = { height, width, data: Uint8Array.from(rgb.flat()) };
  const [longSide, shortSide] = one.scale;
  const prepared = prepareImage(image, { ...COCO_PREPROCESSING, longSide, shortSide });
  const { values, canvas, resized, scale } = prepared;
  expect([resized.height, resized.width]).toEqual(one.img_shape);
  expect([canvas.height, canvas.width]).toEqual(one.pad_shape);
  expect(scale).toEqual(floats(one.scale_factor));
  // [H·W, 3] as channels first.
  const planes = channelsLast(values, [1, canvas.height * canvas.width, 3, 1]);
  const probes = one.probe_index.map((index) => planes[index]!);
  expect(worst(probes, one.probe)).toBeLessThan(1e-6);
});

it('refuses statistics that normalise nothing', () => {
  const image = { height: 1, width: 1, data: new Uint8Array(3) };
  expect(() => prepareImage(image, { ...COCO_PREPROCESSING, std: [1, 0, 1] })).toThrow(/deviation of 0/);
});
