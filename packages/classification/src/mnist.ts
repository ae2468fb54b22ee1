import { DIGIT_SIDE, type RgbImage, readMnist } from '@as-mlp/data';
import type { ImageDataset } from './dataset.ts';

const PIXELS = DIGIT_SIDE * DIGIT_SIDE;

/** The digits of {@link readMnist}, one an image: the official 60,000 for training, the 10,000 for testing as `val`. */
export function openMnist(split: 'train' | 'val'): ImageDataset {
  const { pixels, labels } = readMnist(split === 'train' ? 'train' : 'test');
  return {
    labels: Array.from({ length: 10 }, (_, digit) => String(digit)),
    targets: labels,
    source: `mnist ${split}`,
    name: (index) => `mnist-${split}-${index}`,
    load: async (index) => toRgb(pixels.subarray(index * PIXELS, (index + 1) * PIXELS)),
  };
}

function toRgb(gray: Uint8Array): RgbImage {
  const data = new Uint8Array(gray.length * 3);
  for (let i = 0; i < gray.length; i++) data.fill(gray[i]!, 3 * i, 3 * i + 3);
  return { width: DIGIT_SIDE, height: DIGIT_SIDE, data };
}
