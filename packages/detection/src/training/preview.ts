import { basename } from 'node:path';
import { denormalize } from '@as-mlp/data';
import type { PreviewImage } from '@as-mlp/train';
import { wholeMask } from '../data/varied-examples.ts';
import type { Preprocessing } from '../predict/preprocess.ts';
import type { DetectionBatch } from './batch.ts';

/** The images of a batch on their common canvas, with the objects that they teach. */
export function previewBatch(
  { images, size, targets, names }: DetectionBatch,
  labels: readonly string[],
  { mean, std }: Pick<Preprocessing, 'mean' | 'std'>,
): PreviewImage[] {
  const length = size.height * size.width * 3;
  return targets.map(({ boxes, labels: classes, masks }, i) => ({
    image: denormalize(images.subarray(i * length, (i + 1) * length), size, mean, std, 255),
    caption: basename(names[i]!),
    objects: Array.from(classes, (index, k) => ({
      label: labels[index]!,
      index,
      box: Array.from(boxes.subarray(4 * k, 4 * k + 4)),
      mask: () => wholeMask(masks[k]!, size),
    })),
  }));
}
