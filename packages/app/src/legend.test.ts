import { createImage, type Rgb } from '@as-mlp/data';
import { expect, it } from 'vitest';
import { withLegend } from './legend.ts';

const BLACK: Rgb = [0, 0, 0];
const entry = (i: number) => ({ text: `class ${i}`, colour: [i + 1, 200, 77] as Rgb });

/** Which of the colours of `entry` are somewhere in a picture. */
function coloursIn({ data }: { data: Uint8Array }): number[] {
  const found = new Set<number>();
  for (let i = 0; i < data.length; i += 3) {
    if (data[i + 1] === 200 && data[i + 2] === 77) found.add(data[i]! - 1);
  }
  return [...found].sort((a, b) => a - b);
}

it('shows each colour below the picture, which stays as it is', async () => {
  const picture = createImage({ height: 30, width: 400 }, BLACK);
  const result = await withLegend(picture, [0, 1, 2].map(entry));
  expect(result.width).toBe(400);
  expect(result.height).toBeGreaterThan(45);
  expect(result.data.subarray(0, picture.data.length)).toEqual(picture.data);
  expect(coloursIn(result)).toEqual([0, 1, 2]);
});

it('counts what does not fit into twelve lines', async () => {
  const narrow = createImage({ height: 10, width: 90 }, BLACK);
  const result = await withLegend(
    narrow,
    Array.from({ length: 30 }, (_, i) => entry(i)),
  );
  expect(coloursIn(result)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it('is nothing more than a margin without classes', async () => {
  const result = await withLegend(createImage({ height: 10, width: 90 }, BLACK), []);
  expect(result.height).toBeLessThan(25);
});
