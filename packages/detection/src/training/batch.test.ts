import { createRng } from '@as-mlp/base';
import { expect, it } from 'vitest';
import { COCO_PREPROCESSING } from '../predict/preprocess.ts';
import { batchTensors, collate, readBatch } from './batch.ts';

const rng = createRng(1);
const noise = (height: number, width: number) => ({
  height,
  width,
  data: Uint8Array.from(rng.uniform(height * width * 3), (value) => value * 256),
});
const bitmap = (top: number, left: number, height: number, width: number) => ({
  top,
  left,
  height,
  width,
  data: Uint8Array.from(rng.uniform(height * width), (value) => Math.round(value)),
});
const samples = [
  {
    image: noise(40, 33),
    targets: {
      boxes: Float32Array.of(1, 2, 3.5, 4, 5, 6, 7, 8),
      labels: Int32Array.of(3, 0),
      masks: [bitmap(2, 1, 2, 3), bitmap(6, 5, 4, 2)],
    },
    name: 'a',
  },
  {
    image: noise(20, 70),
    targets: { boxes: new Float32Array(0), labels: new Int32Array(0), masks: [] },
    name: 'b',
  },
];

it('puts images on one canvas, each with its own padded size', () => {
  const batch = collate(samples, COCO_PREPROCESSING);
  expect(batch.size).toEqual({ height: 64, width: 96 });
  expect(batch.extents.map(({ padded }) => padded)).toEqual([
    { height: 64, width: 64 },
    { height: 32, width: 96 },
  ]);
  const at = (image: number, y: number, x: number) => batch.images[((image * 64 + y) * 96 + x) * 3 + 2]!;
  const byte = samples[0]!.image.data[(39 * 33 + 32) * 3 + 2]!;
  expect(at(0, 39, 32)).toBeCloseTo((byte - 103.53) / 57.375, 5);
  expect([at(0, 39, 33), at(0, 40, 32), at(1, 20, 0)]).toEqual([0, 0, 0]);
});

it('brings sizes and objects through tensors unchanged', () => {
  const batch = collate(samples, COCO_PREPROCESSING);
  const [images, sizes, objects, bytes] = batchTensors(batch);
  expect(images!.shape).toEqual([2, 64, 96, 3]);
  expect(objects!.shape).toEqual([2, 10]);
  const read = readBatch(sizes!.data, objects!.data, bytes!.data as Int32Array);
  expect(read).toEqual({ extents: batch.extents, targets: batch.targets });
});
