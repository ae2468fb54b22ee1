import { expect, it } from 'vitest';
import { smallTruth } from './coco.fixture.ts';
import { parseCoco } from './open-coco.ts';
import { trainingImages, trainingObjects } from './training-objects.ts';

it('passes over what cannot be learnt', () => {
  const dataset = parseCoco(
    smallTruth([
      { bbox: [35, 25, 10, 10] },
      { bbox: [40, 0, 10, 10] },
      { bbox: [-10, 0, 10, 10] },
      { bbox: [0, 0, 0.9, 10] },
      { bbox: [0, 0, 10, 0.9] },
      { area: 0 },
      { ignore: 1 },
      { category_id: 9 },
      { iscrowd: 1, bbox: [1, 2, 3, 4] },
      { category_id: 2, bbox: [0, 0, 1, 1] },
    ]),
    'gt.json',
  );
  const objects = trainingObjects(dataset, 0);
  expect([...objects.boxes]).toEqual([35, 25, 45, 35, 0, 0, 1, 1]);
  expect([...objects.labels]).toEqual([0, 1]);
  expect([...objects.annotations]).toEqual([0, 9]);
  expect([...objects.ignored]).toEqual([1, 2, 4, 6]);
});

it('drops small images and those without an annotation of a class', () => {
  const images = [3, 4, 5, 6, 7].map((id) => ({ id, width: id === 3 ? 31 : 32, height: 40, file_name: '' }));
  const annotations = [
    { image_id: 3 },
    { image_id: 4 },
    { image_id: 5, category_id: 9 },
    { image_id: 6, iscrowd: 1 },
  ];
  const dataset = parseCoco(smallTruth(annotations, { images }), 'gt.json');
  expect(trainingImages(dataset)).toEqual([1, 3]);
  expect(trainingImages(dataset, 1)).toEqual([0, 1, 3]);
});
