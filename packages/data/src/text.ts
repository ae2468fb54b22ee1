import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { AsMlpError } from '@as-mlp/base';
import { sharp } from './sharp.ts';

/** How much of each pixel a line of text covers, 0–255, row by row. */
export interface TextMask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const FONT = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf');
const FONT_CONFIG = fileURLToPath(new URL('../assets/fonts.conf', import.meta.url));

/** A line with a capital and a descender: put above and below a text, it fixes where the text's baseline lies. */
const REFERENCE = 'Hg';

const referenceHeights = new Map<number, number>();
let fontsReady: Promise<void> | undefined;

/**
 * One line of `text` in DejaVu Sans, `size` pixels an em. Masks of one size have one height and one baseline, whatever
 * the letters; the width is the text's. Line breaks and control characters become spaces.
 * Throws AsMlpError('usage') for a size that is not between 4 and 512 pixels.
 */
export async function renderText(text: string, size: number): Promise<TextMask> {
  if (!(size >= 4 && size <= 512)) {
    throw new AsMlpError('usage', { what: `text of ${size} pixels`, fix: 'Choose a size from 4 to 512' });
  }
  const edge = await referenceHeight(size);
  const line = [...text].map((c) => (c < ' ' || c === '\x7f' ? ' ' : c)).join('');
  const { width, height, data } = await renderLines([REFERENCE, line, REFERENCE], size);
  const rows = {
    width,
    height: height - 2 * edge,
    data: data.subarray(edge * width, (height - edge) * width),
  };
  return trimColumns(rows);
}

/** Height of the ink of a line that is the reference. */
async function referenceHeight(size: number): Promise<number> {
  const known = referenceHeights.get(size);
  if (known !== undefined) return known;
  const { height } = await renderLines([REFERENCE], size);
  referenceHeights.set(size, height);
  return height;
}

async function renderLines(lines: readonly string[], size: number): Promise<TextMask> {
  fontsReady ??= prepareFonts();
  await fontsReady;
  const { data, info } = await drawMarkup(lines.map(escapeMarkup).join('\n'), size);
  const { width, height, channels } = info;
  const mask = new Uint8Array(width * height);
  for (let i = 0; i < mask.length; i++) mask[i] = data[i * channels]!;
  return { width, height, data: mask };
}

async function drawMarkup(text: string, size: number) {
  // At 72 dots an inch a point is a pixel.
  return await sharp({ text: { text, font: `DejaVu Sans ${size}`, fontfile: FONT, dpi: 72 } })
    .raw()
    .toBuffer({ resolveWithObject: true });
}

function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * The font library reads the machine's configuration when it first draws, and complains where there is none. Its first
 * drawing happens here, with our configuration; then the environment is put back as it was.
 */
async function prepareFonts(): Promise<void> {
  const before = process.env.FONTCONFIG_FILE;
  process.env.FONTCONFIG_FILE = FONT_CONFIG;
  try {
    await drawMarkup('x', 12);
  } finally {
    if (before === undefined) delete process.env.FONTCONFIG_FILE;
    else process.env.FONTCONFIG_FILE = before;
  }
}

/** `mask` without the empty columns at its sides; at least one column is left. */
function trimColumns({ width, height, data }: TextMask): TextMask {
  const isEmpty = (x: number) => {
    for (let y = 0; y < height; y++) if (data[y * width + x] !== 0) return false;
    return true;
  };
  let left = 0;
  let right = width;
  while (left < right - 1 && isEmpty(left)) left++;
  while (right > left + 1 && isEmpty(right - 1)) right--;
  const trimmed = new Uint8Array((right - left) * height);
  for (let y = 0; y < height; y++)
    trimmed.set(data.subarray(y * width + left, y * width + right), y * (right - left));
  return { width: right - left, height, data: trimmed };
}
