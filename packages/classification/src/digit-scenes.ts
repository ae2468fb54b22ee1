import { openDigitScenes } from '@as-mlp/data';
import type { ImageDataset } from './dataset.ts';

/** The name that stands for pictures of one handwritten digit each where a data set is asked for. */
export const DIGIT_SCENES = 'digit-scenes';
/** Pictures in each part. */
const LENGTHS = { train: 20_000, val: 1000 } as const;
const SIDE = 64;

/**
 * Scenes of a single digit, 64×64 pixels, anywhere in the picture: what a backbone learns first that is to find digits, or their
 * pixels, in larger scenes. All are drawn once to know their labels, which takes some seconds.
 */
export function openSingleDigits(split: 'train' | 'val'): ImageDataset {
  const scenes = openDigitScenes({
    split: split === 'train' ? 'train' : 'test',
    length: LENGTHS[split],
    size: { height: SIDE, width: SIDE },
    side: [22, 40],
    count: [1, 1],
  });
  return {
    labels: scenes.labels,
    targets: Uint8Array.from({ length: scenes.length }, (_, index) => scenes.scene(index).objects[0]!.label),
    source: `${DIGIT_SCENES} ${split}`,
    name: (index) => `scene ${index}`,
    load: async (index) => scenes.scene(index).image,
  };
}
