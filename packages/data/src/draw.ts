import type { Region, Rgb, RgbImage } from './image.ts';
import { renderText, type TextMask } from './text.ts';

const BLACK: Rgb = [0, 0, 0];
const WHITE: Rgb = [255, 255, 255];

/** Paints the part of `region` that lies inside `image`, in place, in one colour. */
export function fillRectangle(image: RgbImage, region: Region, colour: Rgb): void {
  const { top, left, bottom, right } = clip(image, region);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) image.data.set(colour, (y * image.width + x) * 3);
  }
}

/** Copies `source` into `image`, in place, its top left corner at (`top`, `left`); what lies outside is cut off. */
export function paste(image: RgbImage, source: RgbImage, top: number, left: number): void {
  const inside = clip(image, { top, left, height: source.height, width: source.width });
  if (inside.right <= inside.left) return;
  for (let y = inside.top; y < inside.bottom; y++) {
    const from = ((y - top) * source.width + inside.left - left) * 3;
    const row = source.data.subarray(from, from + (inside.right - inside.left) * 3);
    image.data.set(row, (y * image.width + inside.left) * 3);
  }
}

/** A line of text on a filled background. */
export interface Label {
  readonly text: string;
  /** Top left corner of the background, in pixels; may lie outside the image. */
  readonly top: number;
  readonly left: number;
  /** Colour of the background, black unless given; the text is black or white, whichever reads better. */
  readonly colour?: Rgb;
}

/** Options of {@link drawLabels}. */
export interface LabelOptions {
  /** Pixels an em, 4–512; 12 unless given. */
  readonly size?: number;
}

/**
 * Draws `labels` on `image`, in place, later ones over earlier ones. A label that would leave the image on the right or
 * at the bottom is moved back inside as far as it fits. Text is DejaVu Sans and needs no fonts on the machine; call it
 * from the main thread.
 */
export async function drawLabels(
  image: RgbImage,
  labels: readonly Label[],
  { size = 12 }: LabelOptions = {},
): Promise<void> {
  const margin = Math.ceil(size / 4);
  for (const { text, top, left, colour = BLACK } of labels) {
    const mask = await renderText(text, size);
    const height = mask.height;
    const width = mask.width + 2 * margin;
    const y = Math.round(Math.max(0, Math.min(top, image.height - height)));
    const x = Math.round(Math.max(0, Math.min(left, image.width - width)));
    fillRectangle(image, { top: y, left: x, height, width }, colour);
    drawMask(image, mask, y, x + margin, readableOn(colour));
  }
}

/** Blends `colour` over `image`, in place, as far as `mask` covers each pixel; what lies outside is cut off. */
export function drawMask(image: RgbImage, mask: TextMask, top: number, left: number, colour: Rgb): void {
  const inside = clip(image, { top, left, height: mask.height, width: mask.width });
  for (let y = inside.top; y < inside.bottom; y++) {
    for (let x = inside.left; x < inside.right; x++) {
      const cover = mask.data[(y - top) * mask.width + x - left]! / 255;
      const at = (y * image.width + x) * 3;
      for (let c = 0; c < 3; c++) {
        const below = image.data[at + c]!;
        image.data[at + c] = Math.round(below + (colour[c]! - below) * cover);
      }
    }
  }
}

/** Black on light colours, white on dark ones (relative luminance of Rec. 709). */
export function readableOn([red, green, blue]: Rgb): Rgb {
  const isLight = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140;
  return isLight ? BLACK : WHITE;
}

function clip(image: RgbImage, { top, left, height, width }: Region) {
  return {
    top: Math.max(0, top),
    left: Math.max(0, left),
    bottom: Math.min(image.height, top + height),
    right: Math.min(image.width, left + width),
  };
}
