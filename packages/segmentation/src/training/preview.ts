import { basename } from 'node:path';
import { denormalize, type Rgb } from '@as-mlp/data';
import type { PreviewImage } from '@as-mlp/train';
import type { Preprocessing } from '../predict/preprocess.ts';

/** The crops of a batch, half covered by the colours of their labels; ignored pixels stay as they are. */
export function previewBatch(
  batch: {
    readonly images: Float32Array;
    readonly labels: Int32Array;
    readonly names: readonly string[];
  },
  side: number,
  palette: readonly Rgb[],
  { mean, std }: Pick<Preprocessing, 'mean' | 'std'>,
): PreviewImage[] {
  const { images, labels, names } = batch;
  const pixels = side * side;
  return names.map((name, i) => {
    const values = images.subarray(i * pixels * 3, (i + 1) * pixels * 3);
    const image = denormalize(values, { height: side, width: side }, mean, std, 255);
    for (let p = 0; p < pixels; p++) {
      const colour = palette[labels[i * pixels + p]!];
      if (!colour) continue;
      for (let c = 0; c < 3; c++) image.data[3 * p + c] = (image.data[3 * p + c]! + colour[c]!) >> 1;
    }
    return { image, caption: basename(name) };
  });
}
