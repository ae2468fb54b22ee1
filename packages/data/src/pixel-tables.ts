import type { RgbImage } from './image.ts';

/** The bytes that each byte becomes: 256 for all channels, or 3 · 256 channel by channel. */
type ByteTable = Uint8Array;

/** `image` with every byte replaced by the table's. */
export function lookUp({ height, width, data }: RgbImage, table: ByteTable): RgbImage {
  const bytes = new Uint8Array(data.length);
  const [green, blue] = table.length === 256 ? [0, 0] : [256, 512];
  for (let i = 0; i < data.length; i += 3) {
    bytes[i] = table[data[i]!]!;
    bytes[i + 1] = table[green + data[i + 1]!]!;
    bytes[i + 2] = table[blue + data[i + 2]!]!;
  }
  return { height, width, data: bytes };
}

/** A table of one byte for each byte; `value` may be a fraction, which is truncated, but lies in [0, 256). */
export function tableOf(value: (byte: number) => number): ByteTable {
  return Uint8Array.from({ length: 256 }, (_, byte) => value(byte));
}

/** Each channel stretched so that its least byte becomes 0 and its greatest 255, as Pillow's `ImageOps.autocontrast`. */
export function autoContrast(image: RgbImage): RgbImage {
  return lookUp(
    image,
    tablePerChannel(image, (counts) => {
      const least = counts.findIndex((count) => count > 0);
      const greatest = counts.findLastIndex((count) => count > 0);
      if (greatest <= least) return (byte) => byte;
      const scale = 255 / (greatest - least);
      const offset = -least * scale;
      return (byte) => Math.min(255, Math.max(0, byte * scale + offset));
    }),
  );
}

/** The histogram of each channel made even, as Pillow's `ImageOps.equalize`. */
export function equalize(image: RgbImage): RgbImage {
  return lookUp(
    image,
    tablePerChannel(image, (counts) => {
      const greatest = counts.findLastIndex((count) => count > 0);
      const step = Math.floor((image.height * image.width - counts[greatest]!) / 255);
      if (step === 0) return (byte) => byte;
      let below = step >> 1;
      return (byte) => {
        const level = Math.min(255, Math.floor(below / step));
        below += counts[byte]!;
        return level;
      };
    }),
  );
}

/** The negative: 255 − byte. */
export function invert(image: RgbImage): RgbImage {
  return lookUp(
    image,
    tableOf((byte) => 255 - byte),
  );
}

/** Only the `bits` (0 to 8) most significant bits of each byte kept, as Pillow's `ImageOps.posterize`; 0 gives black. */
export function posterize(image: RgbImage, bits: number): RgbImage {
  return lookUp(
    image,
    tableOf((byte) => byte & (256 - 2 ** (8 - bits))),
  );
}

/** Bytes from `threshold` (0 to 256) on inverted, as Pillow's `ImageOps.solarize`. */
export function solarize(image: RgbImage, threshold: number): RgbImage {
  return lookUp(
    image,
    tableOf((byte) => (byte < threshold ? byte : 255 - byte)),
  );
}

/** `amount` (0 to 255) added to bytes below 128, 255 at most, as timm's `SolarizeAdd`. */
export function solarizeAdd(image: RgbImage, amount: number): RgbImage {
  return lookUp(
    image,
    tableOf((byte) => (byte < 128 ? Math.min(255, byte + amount) : byte)),
  );
}

/** One table for each channel, from how often each byte occurs in it; `value` is asked from 0 to 255. */
function tablePerChannel(
  { data }: RgbImage,
  levels: (counts: Int32Array) => (byte: number) => number,
): ByteTable {
  const counts = new Int32Array(3 * 256);
  for (let i = 0; i < data.length; i += 3) {
    counts[data[i]!]!++;
    counts[256 + data[i + 1]!]!++;
    counts[512 + data[i + 2]!]!++;
  }
  const table = new Uint8Array(3 * 256);
  for (let start = 0; start < table.length; start += 256) {
    table.set(tableOf(levels(counts.subarray(start, start + 256))), start);
  }
  return table;
}
