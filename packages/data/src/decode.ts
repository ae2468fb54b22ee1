import { AsMlpError } from '@as-mlp/base';
import type { Metadata, Sharp } from 'sharp';
import { type ColourHeader, readHeader } from './header.ts';
import type { RgbImage, Size } from './image.ts';
import { checkByteCount, checkHeader, DEFAULT_LIMITS, type ImageLimits } from './limits.ts';
import { readImageBytes } from './read-bytes.ts';
import { sharp } from './sharp.ts';
import { SNIFF_BYTES, sniffFormat } from './sniff.ts';

/** Options of {@link decodeImage}. */
export interface DecodeOptions {
  /** Limits other than {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<ImageLimits>;
  /** Turn the image as its EXIF orientation says: true for photos to predict on, false (the default) for data sets. */
  readonly orient?: boolean;
  /**
   * Accept JPEG data with decoding errors in the middle, as Pillow does; they are refused unless given. A file that is
   * cut off or fails a checksum is refused in any case.
   */
  readonly tolerant?: boolean;
  /** The name that error messages give the image when bytes are passed; "image" unless given. */
  readonly name?: string;
}

/**
 * Decodes a JPEG, PNG, WebP, GIF, TIFF or AVIF file to 8-bit RGB, as Pillow's `Image.open(…).convert('RGB')` does:
 * palettes are looked up, grey is repeated, alpha is dropped (not blended), CMYK is converted without a profile, colour
 * profiles and gamma are ignored, EXIF orientation is ignored unless `orient`. Of 16-bit channels the high byte is
 * taken, also for grey, where Pillow would clip to white. Bytes after the end of the image do not matter.
 *
 * The format is told by content, not by name. Throws AsMlpError: 'input' when there is no such file, 'io' when it cannot
 * be read, and 'image', naming the file, when it is empty, no image, damaged, cut off, animated or above a limit; limits
 * are checked from the header before anything is decoded.
 */
export async function decodeImage(
  input: string | Uint8Array,
  options: DecodeOptions = {},
): Promise<RgbImage> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const where = typeof input === 'string' ? input : (options.name ?? 'image');
  const bytes = typeof input === 'string' ? await readImageBytes(input, limits) : input;
  checkByteCount(bytes.length, limits, where);
  const format = sniffFormat(bytes, where);
  try {
    const known = readHeader(bytes, format);
    const failOn = options.tolerant ? 'error' : 'warning';
    const pipeline = open(bytes, failOn, known ? limits.pixels : false);
    const header = known ?? headerOf(await pipeline.metadata());
    checkHeader(header, limits, where);
    if (options.orient) pipeline.autoOrient();
    return await (header.isCmyk ? decodeCmyk(pipeline) : decodeRgb(pipeline));
  } catch (error) {
    throw decodeError(where, error);
  }
}

/**
 * The size of an image file in pixels, from its header, without decoding it; as {@link decodeImage} would return it,
 * with `orient` after turning. Checks the same limits and throws the same errors, as far as a header shows them.
 */
export async function readImageSize(
  path: string,
  options: Pick<DecodeOptions, 'limits' | 'orient'> = {},
): Promise<Size> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  sniffFormat(await readImageBytes(path, limits, SNIFF_BYTES), path);
  try {
    const header = await open(path).metadata();
    checkHeader(headerOf(header), limits, path);
    const { height, width } = options.orient ? header.autoOrient : header;
    return { height, width };
  } catch (error) {
    throw decodeError(path, error);
  }
}

/** Where the header is known the decoder is held to the pixel limit; else it is asked for the header first. */
function open(
  input: string | Uint8Array,
  failOn: 'error' | 'warning' = 'warning',
  limitInputPixels: number | false = false,
): Sharp {
  return sharp(input, { failOn, limitInputPixels, ignoreIcc: true, sequentialRead: true });
}

function headerOf({ height, width, channels, pages, space }: Metadata): ColourHeader {
  return { height, width, channels, frames: pages ?? 1, isCmyk: space === 'cmyk' };
}

async function decodeRgb(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const { height, width, channels } = info;
  if (channels === 3) {
    return { height, width, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  }
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0, p = 0; i < rgb.length; i += 3, p += channels) rgb.fill(data[p]!, i, i + 3);
  return { height, width, data: rgb };
}

/** Pillow's conversion: `(255 − K) − (255 − K) · C / 255`, the quotient rounded, without a colour profile. */
async function decodeCmyk(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { height, width, channels } = info;
  const rgb = new Uint8Array(height * width * 3);
  for (let i = 0, p = 0; i < rgb.length; i += 3, p += channels) {
    const light = 255 - data[p + 3]!;
    for (let c = 0; c < 3; c++) {
      const product = data[p + c]! * light + 128;
      rgb[i + c] = light - (((product >> 8) + product) >> 8);
    }
  }
  return { height, width, data: rgb };
}

/** What went wrong in the decoder, for a person. */
export function decodeError(where: string, error: unknown): AsMlpError {
  if (error instanceof AsMlpError) return error;
  const reason =
    error instanceof Error ? error.message.split('\n')[0]!.trim().replace(/[.:]$/, '') : String(error);
  return new AsMlpError('image', {
    where,
    what: `the image is damaged or cut off (${reason})`,
    fix: 'Save or download it again',
    cause: error,
  });
}
