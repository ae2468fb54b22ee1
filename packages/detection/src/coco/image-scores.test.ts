import { describe, expect, it } from 'vitest';
import { DetectionCollector } from './detections.ts';
import { imageScores } from './image-scores.ts';
import { parseCoco } from './open-coco.ts';

let id = 0;
const object = (image_id: number, category_id: number, bbox: number[], iscrowd = 0) => ({
  id: ++id,
  image_id,
  category_id,
  bbox,
  area: bbox[2]! * bbox[3]!,
  iscrowd,
});

const dataset = parseCoco(
  {
    images: [1, 2, 3, 4].map((image) => ({ id: image, file_name: `${image}.png`, width: 100, height: 100 })),
    categories: [
      { id: 1, name: 'cat' },
      { id: 2, name: 'dog' },
    ],
    annotations: [
      object(1, 1, [0, 0, 10, 10]),
      object(1, 2, [50, 50, 20, 20]),
      object(2, 1, [0, 0, 10, 10]),
      object(4, 1, [0, 0, 50, 50], 1),
    ],
  },
  'test',
);

describe('imageScores', () => {
  it('is the F1 of the boxes of each image', () => {
    const collector = new DetectionCollector(dataset);
    collector.add(0, {
      boxes: [0, 0, 10, 9, 50, 50, 70, 70, 0, 0, 10, 10],
      // The second names the wrong class, the third comes too late for its object.
      labels: [0, 0, 0],
      scores: [0.9, 0.8, 0.7],
    });
    collector.add(1, { boxes: [0, 0, 10, 10, 20, 20, 30, 30], labels: [0, 0], scores: [0.5, 0.2] });
    // Nothing in image 3; a detection inside the crowd of image 4 counts for nothing.
    collector.add(3, { boxes: [10, 10, 20, 20], labels: [0], scores: [0.9] });
    const scores = imageScores(dataset, collector.detections('box'), 0.3);
    expect([...scores]).toEqual([2 / 5, 1, Number.NaN, Number.NaN]);
  });

  it('is 0 where nothing is found', () => {
    const scores = imageScores(dataset, new DetectionCollector(dataset).detections('box'), 0.3);
    expect([...scores]).toEqual([0, 0, Number.NaN, Number.NaN]);
  });
});
