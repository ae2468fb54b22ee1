import type { LabelMap, Rgb, RgbImage } from '@as-mlp/data';
import { readable } from './pictures.ts';

/** Options of {@link overlaid}. */
export interface OverlayOptions {
  /** The longer side of the picture; the image's own between 640 and 1600 unless given. */
  readonly side?: number | undefined;
  /** How much of a class's colour covers the image, from 0 to 1; 0.55 unless given. */
  readonly cover?: number;
}

/**
 * The image at a readable size, each pixel tinted with the colour of its class, with dark lines where classes meet. Pixels of a
 * label that the palette lacks, such as the ignored one, keep their colour.
 */
export function overlaid(
  image: RgbImage,
  labels: LabelMap,
  palette: readonly Rgb[],
  { side, cover = 0.55 }: OverlayOptions = {},
): RgbImage {
  const picture = readable(image, side);
  const { width, height, data } = picture;
  const columns = Int32Array.from({ length: width }, (_, x) => Math.floor((x * labels.width) / width));
  const rows = Int32Array.from({ length: height }, (_, y) => Math.floor((y * labels.height) / height));
  const at = (y: number, x: number) => labels.data[rows[y]! * labels.width + columns[x]!]!;
  for (let y = 0, o = 0; y < height; y++) {
    for (let x = 0; x < width; x++, o += 3) {
      const label = at(y, x);
      const isEdge = (x + 1 < width && at(y, x + 1) !== label) || (y + 1 < height && at(y + 1, x) !== label);
      const colour = palette[label];
      if (!colour && !isEdge) continue;
      for (let c = 0; c < 3; c++) {
        const below = data[o + c]!;
        const tinted = colour ? below + (colour[c]! - below) * cover : below;
        data[o + c] = Math.round(isEdge ? tinted / 2 : tinted);
      }
    }
  }
  return picture;
}
