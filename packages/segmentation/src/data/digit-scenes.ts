import { type DigitScene, type DigitScenes, type LabelMap, openDigitScenes, type Rgb } from '@as-mlp/data';
import type { Split } from './segmentation-folder.ts';

/** The name that stands for scenes of handwritten digits where a data set is asked for. */
export const DIGIT_SCENES = 'digit-scenes';
/** Scenes in each part. */
const LENGTHS: Readonly<Record<Split, number>> = { train: 20_000, val: 200 };

/** The scenes to train on, made of training digits, or the held-out ones, of test digits. */
export function openScenes(split: Split, length = LENGTHS[split]): DigitScenes {
  return openDigitScenes({ split: split === 'train' ? 'train' : 'test', length });
}

/** Colours of the classes: none for the background, bright ones for the digits. */
export const SCENE_PALETTE: readonly Rgb[] = [
  [0, 0, 0],
  [230, 25, 75],
  [60, 180, 75],
  [255, 225, 25],
  [0, 130, 200],
  [245, 130, 48],
  [145, 30, 180],
  [70, 240, 240],
  [240, 50, 230],
  [210, 245, 60],
  [170, 110, 40],
];

/** Names of the classes: the background, then the ten digits. */
export function sceneLabels({ labels }: DigitScenes): string[] {
  return ['background', ...labels];
}

/** 0 where the background is seen, 1 + the digit elsewhere. */
export function sceneLabelMap({ image: { height, width }, objects }: DigitScene): LabelMap {
  const data = new Uint8Array(height * width);
  for (const { label, top, left, height: rows, width: columns, mask } of objects) {
    for (let y = 0, i = 0; y < rows; y++) {
      const start = (top + y) * width + left;
      for (let x = 0; x < columns; x++, i++) if (mask[i]) data[start + x] = 1 + label;
    }
  }
  return { height, width, data };
}
