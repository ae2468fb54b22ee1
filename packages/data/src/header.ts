import type { ImageHeader } from './limits.ts';
import type { ImageFormat } from './sniff.ts';

/** What a header says of an image, and how its colours are stored. */
export interface ColourHeader extends ImageHeader {
  readonly isCmyk: boolean;
}

/**
 * The header of a JPEG or PNG, the formats that data sets are made of, read without the decoder; undefined for other
 * formats and whenever anything is unusual, in which case the decoder has to be asked.
 */
export function readHeader(bytes: Uint8Array, format: ImageFormat): ColourHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 'png') return readPngHeader(view);
  return format === 'jpeg' ? readJpegHeader(view) : undefined;
}

const IHDR = 0x49484452;
const ACTL = 0x6163544c;
const IDAT = 0x49444154;

/** Channels by colour type: grey, RGB, palette, grey and alpha, RGB and alpha. */
const PNG_CHANNELS: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [2, 3],
  [3, 3],
  [4, 2],
  [6, 4],
]);

function readPngHeader(view: DataView): ColourHeader | undefined {
  if (view.byteLength < 33 || view.getUint32(12) !== IHDR) return undefined;
  const channels = PNG_CHANNELS.get(view.getUint8(25));
  if (channels === undefined) return undefined;
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    channels,
    frames: countPngFrames(view),
    isCmyk: false,
  };
}

/**
 * The frames that a PNG announces before its first image data (`acTL`, animated PNG); 1 for a plain PNG. The decoder knows
 * nothing of it and would show the first frame.
 */
function countPngFrames(view: DataView): number {
  for (let at = 33; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    const type = view.getUint32(at + 4);
    if (type === ACTL) return view.getUint32(at + 8);
    if (type === IDAT) break;
  }
  return 1;
}

/** The first start-of-frame segment, which names size and components. */
function readJpegHeader(view: DataView): ColourHeader | undefined {
  for (let at = 2; at + 10 <= view.byteLength; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    const isOther = marker === 0xc4 || (marker >= 0xdb && marker <= 0xfe);
    if (view.getUint8(at) !== 0xff || !(isFrame || isOther)) return undefined;
    if (isOther) continue;
    const height = view.getUint16(at + 5);
    const width = view.getUint16(at + 7);
    const channels = view.getUint8(at + 9);
    return height > 0 && width > 0
      ? { height, width, channels, frames: 1, isCmyk: channels === 4 }
      : undefined;
  }
  return undefined;
}
