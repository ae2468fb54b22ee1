import { expect, it } from 'vitest';
import { segmentOptions } from './views.ts';

it('says what the flags say, and leaves the rest to the weights', () => {
  expect(segmentOptions({ mode: 'whole' })).toEqual({ mode: 'whole' });
  expect(segmentOptions({ mode: 'whole', scale: 'none', flip: true })).toEqual({
    mode: 'whole',
    scale: 'none',
    flip: true,
  });
  expect(segmentOptions({ mode: 'slide', scale: [900, 300], scales: [1, 1.5] })).toEqual({
    mode: 'slide',
    scale: { longSide: 900, shortSide: 300 },
    scales: [1, 1.5],
  });
});

it('moves windows of a given size by two thirds of it, unless told otherwise', () => {
  const crop = { height: 256, width: 4 };
  expect(segmentOptions({ mode: 'slide', crop })).toMatchObject({ crop, stride: { height: 170, width: 2 } });
  const stride = { height: 1, width: 1 };
  expect(segmentOptions({ mode: 'slide', crop, stride })).toMatchObject({ crop, stride });
  expect(segmentOptions({ mode: 'slide', crop: { height: 512, width: 512 } }).stride!.height).toBe(341);
});
