import {
  createImage,
  drawMask,
  fillRectangle,
  paste,
  type Rgb,
  type RgbImage,
  renderText,
} from '@as-mlp/data';
import { PANEL, TEXT } from './pictures.ts';

/** One class of a legend. */
export interface LegendEntry {
  readonly text: string;
  /** Of the square before the text; none unless given. */
  readonly colour?: Rgb;
}

/** Lines at most; what is beyond is counted. */
const MOST_ROWS = 12;
/** Letters of a name at most. */
const MOST_LETTERS = 32;

/** The picture with a panel below it that shows what its colours mean, in as many columns as fit. */
export async function withLegend(picture: RgbImage, entries: readonly LegendEntry[]): Promise<RgbImage> {
  const size = Math.max(11, Math.min(20, Math.round(picture.width / 50)));
  const line = Math.round(size * 1.6);
  const masks = [];
  for (const { text, colour } of entries) masks.push({ mask: await renderText(shorten(text), size), colour });
  const widest = Math.max(0, ...masks.map(({ mask }) => mask.width));
  // A square of colour, the name, and space around both.
  const cell = line + widest + size;
  const columns = Math.max(1, Math.floor((picture.width - size) / cell));
  const most = columns * MOST_ROWS;
  const shown = masks.length > most ? masks.slice(0, most - 1) : masks;
  const more = masks.length - shown.length;
  const rows = Math.ceil((shown.length + Math.sign(more)) / columns);
  const panel = rows * line + size;
  const result = createImage({ height: picture.height + panel, width: picture.width }, PANEL);
  paste(result, picture, 0, 0);
  const place = (i: number) => ({
    top: picture.height + Math.round(size / 2) + Math.floor(i / columns) * line,
    left: Math.round(size / 2) + (i % columns) * cell,
  });
  for (const [i, { mask, colour }] of shown.entries()) {
    const { top, left } = place(i);
    const gap = Math.round((line - size) / 2);
    // A rim, for colours as dark as the panel.
    if (colour) {
      fillRectangle(result, { top: top + gap - 1, left: left - 1, height: size + 2, width: size + 2 }, TEXT);
      fillRectangle(result, { top: top + gap, left, height: size, width: size }, colour);
    }
    drawMask(result, mask, top + Math.round((line - mask.height) / 2), left + line, TEXT);
  }
  if (more > 0) {
    const { top, left } = place(shown.length);
    const mask = await renderText(`and ${more} more`, size);
    drawMask(result, mask, top + Math.round((line - mask.height) / 2), left + line, TEXT);
  }
  return result;
}

function shorten(text: string): string {
  return text.length <= MOST_LETTERS ? text : `${text.slice(0, MOST_LETTERS - 1).trimEnd()}…`;
}
