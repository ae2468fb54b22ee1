import { crc32 } from 'node:zlib';
import { AsMlpError } from '@as-mlp/base';
import { type DecodeOptions, decodeError } from './decode.ts';
import { readHeader } from './header.ts';
import type { LabelMap } from './image.ts';
import { checkByteCount, checkHeader, DEFAULT_LIMITS } from './limits.ts';
import { readImageBytes } from './read-bytes.ts';
import { sharp } from './sharp.ts';
import { sniffFormat } from './sniff.ts';

/** Offsets in a PNG file: the fields of its first chunk, and where the next one begins. */
const BIT_DEPTH = 24;
const COLOUR_TYPE = 25;
const IHDR_CRC = 29;
const SECOND_CHUNK = 33;
const GREY = 0;
const PALETTE = 3;

/**
 * Decodes a label map from a PNG file to the numbers that are stored in it: of a palette image the indices and not the
 * colours, of a grey one its values, of 1, 2 and 4 bits unscaled, of 16 bits whole (`Uint16Array`).
 *
 * @throws AsMlpError as `decodeImage` does; also `image` for other formats, colours and alpha.
 */
export async function decodeLabels(
  input: string | Uint8Array,
  options: Pick<DecodeOptions, 'limits' | 'name'> = {},
): Promise<LabelMap> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const where = typeof input === 'string' ? input : (options.name ?? 'labels');
  const bytes = typeof input === 'string' ? await readImageBytes(input, limits) : input;
  checkByteCount(bytes.length, limits, where);
  const format = sniffFormat(bytes, where);
  const header = format === 'png' ? readHeader(bytes, format) : undefined;
  const [depth, colour] = [bytes[BIT_DEPTH]!, bytes[COLOUR_TYPE]!];
  if (format !== 'png' || (header && colour !== GREY && colour !== PALETTE)) {
    throw new AsMlpError('image', {
      where,
      what:
        format === 'png'
          ? 'a label map has one channel, and this has more'
          : `a ${format} file is no label map`,
      fix: 'Save class indices as a PNG file, grey (8 or 16 bit) or with a palette',
    });
  }
  if (header) checkHeader(header, limits, where);
  const isWide = depth === 16;
  try {
    const { data, info } = await sharp(colour === PALETTE ? withoutPalette(bytes) : bytes, {
      failOn: 'warning',
      limitInputPixels: limits.pixels,
      ignoreIcc: true,
      sequentialRead: true,
    })
      .removeAlpha()
      .toColourspace(isWide ? 'grey16' : 'b-w')
      .raw({ depth: isWide ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { height, width } = info;
    if (isWide) return { height, width, data: new Uint16Array(data.buffer, data.byteOffset, height * width) };
    const labels = new Uint8Array(data.buffer, data.byteOffset, height * width);
    // The decoder stretches fewer bits to 0–255.
    const step = 255 / (2 ** depth - 1);
    if (step > 1) for (let i = 0; i < labels.length; i++) labels[i] = labels[i]! / step;
    return { height, width, data: labels };
  } catch (error) {
    throw decodeError(where, error);
  }
}

/** A palette PNG as the grey one whose values are the indices. */
function withoutPalette(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = Uint8Array.from(bytes.subarray(0, SECOND_CHUNK));
  const parts: Uint8Array[] = [first];
  first[COLOUR_TYPE] = GREY;
  new DataView(first.buffer).setUint32(IHDR_CRC, crc32(first.subarray(12, IHDR_CRC)));
  for (let at = SECOND_CHUNK; at < bytes.length; ) {
    const end = at + 12 <= bytes.length ? at + 12 + view.getUint32(at) : bytes.length;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (!['PLTE', 'tRNS', 'bKGD', 'hIST', 'sPLT'].includes(type)) parts.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat(parts);
}
