import { createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { colorJitter } from './color-jitter.ts';
import { pattern } from './golden.fixture.ts';
import { createImage } from './image.ts';

describe('colorJitter', () => {
  it('keeps the brightness of grey within its amount, and uses all of it', () => {
    // Contrast and saturation leave a grey image as it is, so that brightness alone shows: 100 · [0.6, 1.4].
    const grey = createImage({ height: 2, width: 2 }, [100, 100, 100]);
    const bytes = Array.from({ length: 2000 }, (_, i) => colorJitter(grey, 0.4, createRng(i)).data[0]!);
    expect(Math.min(...bytes)).toBeGreaterThanOrEqual(59);
    expect(Math.min(...bytes)).toBeLessThan(63);
    expect(Math.max(...bytes)).toBeLessThanOrEqual(140);
    expect(Math.max(...bytes)).toBeGreaterThan(137);
    const mean = bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length;
    // Truncation takes half a level off the mean of 100; the standard deviation is 23.1.
    expect(Math.abs(mean - 99.5)).toBeLessThan((4.5 * 23.1) / Math.sqrt(2000));
  });

  it('changes nothing for the amount 0, and follows from the chance alone', () => {
    const image = pattern(20, 30);
    expect(colorJitter(image, 0, createRng(1))).toEqual(image);
    expect(colorJitter(image, 0.4, createRng(1))).toEqual(colorJitter(image, 0.4, createRng(1)));
    expect(colorJitter(image, 0.4, createRng(1))).not.toEqual(colorJitter(image, 0.4, createRng(2)));
  });
});
