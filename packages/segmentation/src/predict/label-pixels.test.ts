import { expect, it } from 'vitest';
import { labelPixels, type ViewLogits } from './label-pixels.ts';
import { slidingWindows, windowTaps } from './taps.ts';

/** One map of `classes` logits for each cell, one pixel a cell. */
function view(
  height: number,
  width: number,
  classes: number,
  logit: (cell: number, k: number) => number,
): ViewLogits {
  const map = Float32Array.from({ length: height * width * classes }, (_, i) =>
    logit(Math.floor(i / classes), i % classes),
  );
  const axis = (length: number) =>
    windowTaps(slidingWindows(length, length, length), [length], length, length);
  return {
    maps: [[map]],
    cells: { rows: [height], columns: [width] },
    taps: { rows: axis(height), columns: axis(width) },
  };
}

it('takes the largest logit, of equals the first', () => {
  const one = view(
    2,
    2,
    3,
    (cell, k) =>
      [
        [0, 5, 5],
        [1, 1, 1],
        [0, 0, 2],
        [3, 1, 2],
      ][cell]![k]!,
  );
  const { data } = labelPixels([one], { height: 2, width: 2 }, 3);
  expect(data).toEqual(Uint8Array.of(1, 0, 2, 0));
});

it('takes the mean of probabilities and not of logits over several views', () => {
  // The mean of the logits prefers class 0, that of the probabilities class 1.
  const views = [
    [100, 0],
    [0, 3],
    [0, 3],
  ].map((logits) => view(1, 1, 2, (_, k) => logits[k]!));
  let scores = new Float32Array();
  const { data } = labelPixels(views, { height: 1, width: 1 }, 2, (_, __, all) => {
    scores = all.slice();
  });
  const low = 1 / (1 + Math.exp(3));
  expect(scores[0]).toBeCloseTo((1 + 2 * low) / 3, 6);
  expect([...data]).toEqual([1]);
});

it('writes 16 bits for more than 256 classes', () => {
  const one = view(1, 2, 300, (cell, k) => (k === 299 - cell ? 1 : 0));
  expect(labelPixels([one], { height: 1, width: 2 }, 300).data).toEqual(Uint16Array.of(299, 298));
  expect(labelPixels([view(1, 1, 256, (_, k) => k)], { height: 1, width: 1 }, 256).data).toEqual(
    Uint8Array.of(255),
  );
});
