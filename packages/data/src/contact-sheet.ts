import { AsMlpError } from '@as-mlp/base';
import { drawMask, fillRectangle, paste, readableOn } from './draw.ts';
import { createImage, type Rgb, type RgbImage, type Size } from './image.ts';
import { resize } from './resize.ts';
import { renderText, type TextMask } from './text.ts';

/** One picture of a contact sheet. */
export interface Tile {
  readonly image: RgbImage;
  /** One line under the picture, shortened where it does not fit. */
  readonly caption: string;
  /** Colour behind the caption, dark grey unless given. */
  readonly colour?: Rgb;
}

/** Options of {@link contactSheet}. */
export interface ContactSheetOptions {
  /** Tiles in a row; as many as make the sheet about square unless given. */
  readonly columns?: number;
  /** Side of the square that each picture is fitted into, in pixels; 160 unless given. */
  readonly tileSize?: number;
}

const GAP = 8;
const PAPER: Rgb = [255, 255, 255];
const MOUNT: Rgb = [232, 232, 232];
const CAPTION: Rgb = [64, 64, 64];

/**
 * A sheet of pictures with captions, row by row. Each picture is fitted into its square with its aspect ratio kept;
 * pictures of less than half the square are enlarged with hard pixels. Call it from the main thread.
 * Throws AsMlpError('usage') without tiles, and for counts and sizes that are not positive and whole.
 */
export async function contactSheet(
  tiles: readonly Tile[],
  options: ContactSheetOptions = {},
): Promise<RgbImage> {
  const { columns = Math.ceil(Math.sqrt(tiles.length)), tileSize = 160 } = options;
  if (
    tiles.length === 0 ||
    !(Number.isInteger(columns) && columns > 0 && Number.isInteger(tileSize) && tileSize >= 16)
  ) {
    throw new AsMlpError('usage', {
      what: `a sheet of ${tiles.length} tiles of ${tileSize} pixels in ${columns} columns cannot be made`,
      fix: 'Give at least one tile, one column and 16 pixels',
    });
  }
  const fontSize = Math.max(10, Math.round(tileSize / 13));
  const captions: TextMask[] = [];
  for (const { caption } of tiles) captions.push(await fitText(caption, fontSize, tileSize - 8));
  const captionHeight = captions[0]!.height + 2;

  const rows = Math.ceil(tiles.length / columns);
  const sheet = createImage(
    {
      height: rows * (tileSize + captionHeight + GAP) + GAP,
      width: Math.min(columns, tiles.length) * (tileSize + GAP) + GAP,
    },
    PAPER,
  );
  tiles.forEach(({ image, colour = CAPTION }, i) => {
    const top = GAP + Math.floor(i / columns) * (tileSize + captionHeight + GAP);
    const left = GAP + (i % columns) * (tileSize + GAP);
    fillRectangle(sheet, { top, left, height: tileSize, width: tileSize }, MOUNT);
    const picture = fit(image, tileSize);
    paste(sheet, picture, top + ((tileSize - picture.height) >> 1), left + ((tileSize - picture.width) >> 1));
    fillRectangle(sheet, { top: top + tileSize, left, height: captionHeight, width: tileSize }, colour);
    const mask = captions[i]!;
    drawMask(sheet, mask, top + tileSize + 1, left + ((tileSize - mask.width) >> 1), readableOn(colour));
  });
  return sheet;
}

function fit(image: RgbImage, side: number): RgbImage {
  const scale = side / Math.max(image.height, image.width);
  const size: Size = {
    height: Math.max(1, Math.round(image.height * scale)),
    width: Math.max(1, Math.round(image.width * scale)),
  };
  return resize(image, size, scale > 2 ? 'nearest' : 'bicubic');
}

/** `text`, or as much of its beginning as fits into `width` pixels with an ellipsis. */
async function fitText(text: string, size: number, width: number): Promise<TextMask> {
  const letters = [...text];
  let mask = await renderText(text, size);
  let kept = letters.length;
  while (mask.width > width && kept > 0) {
    // Jump to about the right length, then letter by letter.
    kept = Math.min(kept - 1, Math.ceil((kept * width) / mask.width));
    mask = await renderText(`${letters.slice(0, kept).join('').trimEnd()}…`, size);
  }
  return mask;
}
