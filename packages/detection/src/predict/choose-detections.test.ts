import { expect, it } from 'vitest';
import { floats, golden, worst } from '../golden.fixture.ts';
import { chooseDetections, OFFICIAL_DETECTIONS, refineRegions } from './choose-detections.ts';

interface Expected {
  readonly box_head: {
    readonly rois: number[][];
    readonly logits: number[][];
    readonly deltas: number[][];
    readonly max_per_img: number;
    readonly img_shape: [number, number];
    readonly scale_factor: number[];
    readonly expected: { boxes: number[][]; scores: number[]; labels: number[] };
  };
}
const { box_head } = golden<Expected>('unit/nms.json');
const [height, width] = box_head.img_shape;
const regions = {
  boxes: floats(box_head.rois),
  logits: floats(box_head.logits),
  deltas: floats(box_head.deltas),
  std: [0.1, 0.1, 0.2, 0.2],
};
const original = { height: 75, width: 97 };
const image = { resized: { height, width }, scale: floats(box_head.scale_factor), original };

it('chooses what is chosen officially', () => {
  const options = { ...OFFICIAL_DETECTIONS, maxDetections: box_head.max_per_img };
  const { boxes, scores, labels } = chooseDetections(regions, image, options);
  expect([...labels]).toEqual(box_head.expected.labels);
  expect(worst(scores, box_head.expected.scores)).toBeLessThan(1e-6);
  expect(worst(boxes, floats(box_head.expected.boxes))).toBeLessThan(1e-5);
});

it('chooses nothing from nothing, and nothing above a score of 1', () => {
  const none = { boxes: floats([]), logits: floats([]), deltas: floats([]), std: regions.std };
  expect(chooseDetections(none, image).scores).toHaveLength(0);
  expect(chooseDetections(regions, image, { ...OFFICIAL_DETECTIONS, minScore: 1 }).scores).toHaveLength(0);
  expect(refineRegions(none, image.resized)).toHaveLength(0);
});

it('moves regions by the deltas of the likeliest class, never by those of the background', () => {
  const one = {
    boxes: Float32Array.of(10, 10, 20, 20),
    logits: Float32Array.of(0, 1, 9),
    deltas: Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0),
    std: [0.1, 0.1, 0.2, 0.2],
  };
  expect(worst(refineRegions(one, { height: 50, width: 50 }), [11, 10, 21, 20])).toBeLessThan(1e-6);
});
