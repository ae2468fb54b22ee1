import { describe, expect, it } from 'vitest';
import { type DigitObject, openDigitScenes } from './digit-scenes.ts';

const scenes = openDigitScenes({ split: 'train', length: 40, seed: 5 });

/** Pixel indices of an object on the canvas. */
function pixelsOf({ top, left, height, width, mask }: DigitObject, canvasWidth: number): number[] {
  const pixels: number[] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) if (mask[y * width + x]) pixels.push((top + y) * canvasWidth + left + x);
  }
  return pixels;
}

describe('openDigitScenes', () => {
  it('makes the same scene from the same seed, split and number, whatever was made before', () => {
    const again = openDigitScenes({ split: 'train', length: 40, seed: 5 });
    expect(again.scene(7)).toEqual(scenes.scene(7));
    expect(again.scene(3)).not.toEqual(scenes.scene(7));
    const others = [
      openDigitScenes({ split: 'test', length: 40, seed: 5 }),
      openDigitScenes({ split: 'train', length: 40, seed: 6 }),
    ];
    for (const other of others) expect(other.scene(7)).not.toEqual(scenes.scene(7));
  });

  it('gives each pixel to one digit at most, in the smallest rectangle that holds the digit', () => {
    const seen = new Set<number>();
    for (let index = 0; index < scenes.length; index++) {
      const { image, objects } = scenes.scene(index);
      const all = objects.map((object) => pixelsOf(object, image.width));
      expect(new Set(all.flat()).size).toBe(all.flat().length);
      objects.forEach(({ label, top, left, height, width }, i) => {
        const rows = all[i]!.map((at) => Math.floor(at / image.width));
        const columns = all[i]!.map((at) => at % image.width);
        expect([Math.min(...rows), Math.max(...rows)]).toEqual([top, top + height - 1]);
        expect([Math.min(...columns), Math.max(...columns)]).toEqual([left, left + width - 1]);
        seen.add(label);
      });
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('keeps to the options', () => {
    const few = openDigitScenes({
      split: 'test',
      length: 10,
      size: { height: 96, width: 160 },
      count: [2, 3],
      side: [20, 24],
    });
    for (let index = 0; index < few.length; index++) {
      const { image, objects } = few.scene(index);
      expect([image.height, image.width, image.data.length]).toEqual([96, 160, 96 * 160 * 3]);
      expect([2, 3]).toContain(objects.length);
      // Turned by 30°, a square of 24 pixels is at most 24 · (cos 30° + sin 30°) = 32.8 pixels high.
      for (const { height, width } of objects) expect(Math.max(height, width)).toBeLessThanOrEqual(36);
    }
  });
});
