import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DigitScene, type DigitScenes, encodePng, openDigitScenes } from '@as-mlp/data';
import { encodeMask, rleToJson } from '../coco/rle.ts';

/** The name that stands for scenes of handwritten digits where a data set is asked for. */
export const DIGIT_SCENES = 'digit-scenes';
/** Scenes in each part. */
const LENGTHS = { train: 8000, val: 200 } as const;

/** The scenes to train on, made of training digits, or the held-out ones, of test digits. */
export function openScenes(split: 'train' | 'val', length: number = LENGTHS[split]): DigitScenes {
  return openDigitScenes({ split: split === 'train' ? 'train' : 'test', length });
}

/** The annotations of scenes as a COCO file has them; image i has id i + 1, digit d category d + 1. */
export function scenesToCoco(scenes: DigitScenes): unknown {
  const images: unknown[] = [];
  const annotations: unknown[] = [];
  for (let index = 0; index < scenes.length; index++) {
    const { image, objects } = scenes.scene(index);
    images.push({ id: index + 1, file_name: fileName(index), height: image.height, width: image.width });
    for (const { label, top, left, height, width, mask } of objects) {
      annotations.push({
        id: annotations.length + 1,
        image_id: index + 1,
        category_id: label + 1,
        bbox: [left, top, width, height],
        area: mask.reduce((sum, value) => sum + value, 0),
        iscrowd: 0,
        segmentation: rleToJson(encodeMask(mask, image, { top, left, height, width })),
      });
    }
  }
  const categories = scenes.labels.map((name, label) => ({ id: label + 1, name }));
  return { images, annotations, categories };
}

/**
 * Writes scenes as a COCO data set: `<split>/000000.png`, …, and `annotations/instances_<split>.json`.
 *
 * @param length scenes to write; 8000 for training and 200 held out unless given.
 */
export async function writeDigitScenes(root: string, split: 'train' | 'val', length?: number): Promise<void> {
  const scenes = openScenes(split, length);
  await mkdir(join(root, split), { recursive: true });
  await mkdir(join(root, 'annotations'), { recursive: true });
  for (let index = 0; index < scenes.length; index++) {
    const { image }: DigitScene = scenes.scene(index);
    await writeFile(join(root, split, fileName(index)), await encodePng(image));
  }
  await writeFile(join(root, 'annotations', `instances_${split}.json`), JSON.stringify(scenesToCoco(scenes)));
}

function fileName(index: number): string {
  return `${String(index).padStart(6, '0')}.png`;
}
