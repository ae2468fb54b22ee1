import {
  drawLabels,
  fillRectangle,
  type Region,
  type Rgb,
  type RgbImage,
  readableOn,
  renderText,
  type Size,
} from '@as-mlp/data';
import { readable } from './pictures.ts';

/** An object to be marked in an image. */
export interface MarkedObject {
  readonly label: string;
  /** Class index; it decides the colour. */
  readonly index: number;
  /** x0, y0, x1, y1 in pixels of the image. */
  readonly box: readonly number[];
  /** One byte a pixel of the image, row by row, not 0 inside; made when it is drawn. */
  readonly mask?: () => Uint8Array;
}

/** How much of a mask's colour covers the image. */
const COVER = 0.5;

/** A colour for each class: neighbours in number differ most. */
export function classColour(index: number): Rgb {
  // Steps of the golden angle never come near an earlier hue for long; three lightnesses tell the others apart.
  const hue = (index * 137.508 + 210) % 360;
  const light = [0.5, 0.62, 0.4][Math.floor(index / 8) % 3]!;
  const channel = (shift: number) => {
    const k = (shift + hue / 30) % 12;
    const spread = 0.85 * Math.min(light, 1 - light);
    return Math.round(255 * (light - spread * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [channel(0), channel(8), channel(4)];
}

/** Options of {@link annotated}. */
export interface AnnotateOptions {
  /** The longer side of the picture; the image's own between 640 and 1600 unless given. */
  readonly side?: number;
}

/**
 * The image at a readable size with its objects marked: masks half transparent with an outline, boxes, and labels that keep out of
 * each other's way where there is room. The first object lies on top.
 */
export async function annotated(
  image: RgbImage,
  objects: readonly MarkedObject[],
  { side }: AnnotateOptions = {},
): Promise<RgbImage> {
  const picture = readable(image, side);
  const longest = Math.max(picture.width, picture.height);
  const line = Math.max(2, Math.round(longest / 400));
  const size = Math.max(12, Math.round(longest / 60));
  const scale = [picture.width / image.width, picture.height / image.height];
  const lastFirst = [...objects].reverse();
  for (const { index, mask } of lastFirst) {
    if (mask) paintMask(picture, mask(), image, classColour(index), Math.max(1, line >> 1));
  }
  const place = ({ box }: MarkedObject) => box.map((value, side) => Math.round(value * scale[side % 2]!));
  for (const object of lastFirst) outline(picture, place(object), line, classColour(object.index));
  const taken: Region[] = [];
  for (const object of objects) {
    const colour = classColour(object.index);
    const region = await labelPlace(object.label, size, place(object), picture, taken);
    taken.push(region);
    await drawLabels(picture, [{ text: object.label, top: region.top, left: region.left, colour }], { size });
  }
  return picture;
}

function paintMask(picture: RgbImage, mask: Uint8Array, from: Size, colour: Rgb, edge: number): void {
  const { width, height, data } = picture;
  const columns = Int32Array.from({ length: width }, (_, x) => Math.floor((x * from.width) / width));
  const rows = Int32Array.from({ length: height }, (_, y) => Math.floor((y * from.height) / height));
  const isInside = (y: number, x: number) =>
    y >= 0 && y < height && x >= 0 && x < width && mask[rows[y]! * from.width + columns[x]!] !== 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isInside(y, x)) continue;
      const isEdge = !(
        isInside(y - edge, x) &&
        isInside(y + edge, x) &&
        isInside(y, x - edge) &&
        isInside(y, x + edge)
      );
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) {
        const below = data[at + c]!;
        data[at + c] = isEdge ? colour[c]! : Math.round(below + (colour[c]! - below) * COVER);
      }
    }
  }
}

/** A frame of `line` pixels inside the box, with a thin rim that sets it off from what it lies on. */
function outline(picture: RgbImage, box: readonly number[], line: number, colour: Rgb): void {
  const [x0, y0, x1, y1] = box as [number, number, number, number];
  const frame = (inset: number, thickness: number, paint: Rgb) => {
    const [left, top, right, bottom] = [x0 + inset, y0 + inset, x1 - inset, y1 - inset];
    const [width, height] = [Math.max(right - left, thickness), Math.max(bottom - top, thickness)];
    fillRectangle(picture, { top, left, height: thickness, width }, paint);
    fillRectangle(picture, { top: top + height - thickness, left, height: thickness, width }, paint);
    fillRectangle(picture, { top, left, height, width: thickness }, paint);
    fillRectangle(picture, { top, left: left + width - thickness, height, width: thickness }, paint);
  };
  frame(-1, 1, readableOn(colour));
  frame(0, line, colour);
}

/** Where a label goes: above its box, else inside at the top, below, or further down; the first place that is free. */
async function labelPlace(
  text: string,
  size: number,
  box: readonly number[],
  picture: Size,
  taken: readonly Region[],
): Promise<Region> {
  const [x0, y0, , y1] = box as [number, number, number, number];
  const mask = await renderText(text, size);
  const height = mask.height;
  const width = mask.width + 2 * Math.ceil(size / 4);
  const left = Math.max(0, Math.min(x0, picture.width - width));
  const inside = Array.from(
    { length: Math.max(1, Math.floor((y1 - y0) / height)) },
    (_, i) => y0 + i * height,
  );
  const places = [y0 - height, ...inside.slice(0, 1), y1, ...inside.slice(1)]
    .filter((top) => top >= 0 && top + height <= picture.height)
    .map((top): Region => ({ top, left, height, width }));
  const free = places.find((place) => !taken.some((other) => overlaps(place, other)));
  return free ?? places[0] ?? { top: 0, left, height, width };
}

function overlaps(a: Region, b: Region): boolean {
  return (
    a.left < b.left + b.width &&
    b.left < a.left + a.width &&
    a.top < b.top + b.height &&
    b.top < a.top + a.height
  );
}
