import {
  createImage,
  drawLabels,
  drawMask,
  fillRectangle,
  paste,
  type Rgb,
  type RgbImage,
  renderText,
  resize,
  type TextMask,
} from '@as-mlp/data';

/** One line of a caption. `share` in [0, 1] is drawn as a bar behind the text. */
export interface CaptionLine {
  readonly text: string;
  readonly share?: number;
}

const LONGEST_SIDE = 1024;
const SHORTEST_WIDTH = 320;
/** Colours of what stands below a picture. */
export const PANEL: Rgb = [24, 26, 30];
const BAR: Rgb = [46, 92, 150];
export const TEXT: Rgb = [240, 240, 240];
/** Pictures that are drawn on are shrunk or enlarged so that the longer side lies between these. */
const DRAWN = { least: 640, most: 1600 } as const;

/** The image, shrunk so that no side is longer than `side`; a smaller one as it is. */
export function thumbnail(image: RgbImage, side: number): RgbImage {
  const scale = side / Math.max(image.width, image.height);
  return scale < 1 ? scaled(image, scale) : image;
}

/** A copy whose longer side is `side`, or between 640 and 1600; small images are enlarged with hard pixels. */
export function readable(image: RgbImage, side?: number): RgbImage {
  const longest = Math.max(image.width, image.height);
  const target = side ?? Math.min(DRAWN.most, Math.max(DRAWN.least, longest));
  return target === longest ? { ...image, data: image.data.slice() } : scaled(image, target / longest);
}

/** The image, shrunk or enlarged to a readable size, with a panel of lines below it. */
export async function captioned(image: RgbImage, lines: readonly CaptionLine[]): Promise<RgbImage> {
  const picture = fit(image);
  const lineHeight = Math.max(18, Math.round(picture.width / 28));
  const panel = lines.length * lineHeight + 8;
  const result = createImage({ height: picture.height + panel, width: picture.width }, PANEL);
  paste(result, picture, 0, 0);
  for (const [i, { text, share = 0 }] of lines.entries()) {
    const top = picture.height + 4 + i * lineHeight;
    const width = Math.round(share * picture.width);
    if (width > 0) fillRectangle(result, { top: top + 1, left: 0, height: lineHeight - 2, width }, BAR);
    const mask = await renderText(text, Math.round(lineHeight * 0.62));
    drawMask(result, mask, top + Math.round((lineHeight - mask.height) / 2), 6, TEXT);
  }
  return result;
}

function fit(image: RgbImage): RgbImage {
  const longest = Math.max(image.width, image.height);
  const scale = longest > LONGEST_SIDE ? LONGEST_SIDE / longest : Math.max(1, SHORTEST_WIDTH / longest);
  return scale === 1 ? image : scaled(image, scale);
}

function scaled(image: RgbImage, scale: number): RgbImage {
  const side = (value: number) => Math.max(1, Math.round(value * scale));
  // Small pictures such as digits are enlarged with hard pixels.
  return resize(
    image,
    { height: side(image.height), width: side(image.width) },
    scale > 2 ? 'nearest' : 'bicubic',
  );
}

const CELL = { least: 4, most: 40 } as const;
const LABELLED = 40;
const MARGIN = 110;

/**
 * A confusion matrix as a picture: a row for each true class, a column for each predicted one, every row shaded by its
 * share; blue on the diagonal, red beside it. Classes are named where there are at most 40.
 */
export async function confusionPicture(
  matrix: readonly (readonly number[])[],
  labels: readonly string[],
): Promise<RgbImage> {
  const count = matrix.length;
  const cell = Math.max(CELL.least, Math.min(CELL.most, Math.floor(800 / count)));
  const isNamed = count <= LABELLED;
  const margin = isNamed ? MARGIN : 8;
  const side = margin + count * cell + 8;
  const picture = createImage({ height: side, width: side }, [255, 255, 255]);
  for (const [row, counts] of matrix.entries()) {
    const total = counts.reduce((a, b) => a + b, 0);
    for (const [column, value] of counts.entries()) {
      const share = total === 0 ? 0 : value / total;
      const region = {
        top: margin + row * cell,
        left: margin + column * cell,
        height: cell - 1,
        width: cell - 1,
      };
      fillRectangle(picture, region, shade(share, row === column));
    }
  }
  if (!isNamed) return picture;
  const size = Math.max(9, Math.round(cell * 0.45));
  for (const [i, label] of labels.entries()) {
    const middle = margin + i * cell + Math.round(cell / 2);
    const mask = await renderText(shorten(label, 14), size);
    drawMask(picture, mask, middle - Math.round(mask.height / 2), margin - 6 - mask.width, [30, 30, 30]);
    const column = mask.width < cell ? mask : upwards(mask);
    drawMask(
      picture,
      column,
      margin - 6 - column.height,
      middle - Math.round(column.width / 2),
      [30, 30, 30],
    );
  }
  await drawLabels(picture, [{ text: 'true ↓  predicted →', top: 6, left: 6 }], { size: 12 });
  return picture;
}

/** The text turned a quarter to the left: it reads upwards. */
function upwards({ width, height, data }: TextMask): TextMask {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) turned[(width - 1 - x) * height + y] = data[y * width + x]!;
  }
  return { width: height, height: width, data: turned };
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(1, length - 1))}…`;
}

/** White for 0; darker with the root of the share, so that rare confusions show. */
function shade(share: number, isRight: boolean): Rgb {
  const strength = Math.sqrt(share);
  const full: Rgb = isRight ? [33, 102, 172] : [178, 24, 43];
  const mix = (channel: number) => Math.round(245 + (channel - 245) * strength);
  return [mix(full[0]), mix(full[1]), mix(full[2])];
}
