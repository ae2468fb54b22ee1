const BYTES_A_STEP = 16;
const NO_WORDS = new Int32Array(0);
/** Sixteen tables: entry `[k][b]` is the CRC of byte `b` followed by `k` zero bytes. */
const TABLES = createTables();

function createTables(): Int32Array {
  const tables = new Int32Array(BYTES_A_STEP * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const previous = tables[at - 256]!;
    tables[at] = (previous >>> 8) ^ tables[previous & 0xff]!;
  }
  return tables;
}

/**
 * CRC-32 (IEEE 802.3, as in zip) of `bytes`, as an unsigned number. To go on with a later part, give the
 * CRC so far. Slicing-by-16: four 32-bit words a step, one table look-up a byte.
 */
export function crc32(bytes: Uint8Array, before = 0): number {
  const t = TABLES;
  const { buffer, byteOffset, byteLength } = bytes;
  let crc = ~before;
  let at = 0;
  // Up to the first word boundary of the underlying buffer byte by byte, then words.
  const head = Math.min(byteLength, (4 - (byteOffset & 3)) & 3);
  for (; at < head; at++) crc = (crc >>> 8) ^ t[(crc ^ bytes[at]!) & 0xff]!;
  const steps = Math.floor((byteLength - at) / BYTES_A_STEP);
  // Bytes that end before the boundary have no place where words could begin.
  const words = steps > 0 ? new Int32Array(buffer, byteOffset + at, steps * 4) : NO_WORDS;
  for (let i = 0; i < words.length; i += 4) {
    const a = crc ^ words[i]!;
    const b = words[i + 1]!;
    const c = words[i + 2]!;
    const d = words[i + 3]!;
    crc =
      t[0xf00 + (a & 0xff)]! ^
      t[0xe00 + ((a >>> 8) & 0xff)]! ^
      t[0xd00 + ((a >>> 16) & 0xff)]! ^
      t[0xc00 + (a >>> 24)]! ^
      t[0xb00 + (b & 0xff)]! ^
      t[0xa00 + ((b >>> 8) & 0xff)]! ^
      t[0x900 + ((b >>> 16) & 0xff)]! ^
      t[0x800 + (b >>> 24)]! ^
      t[0x700 + (c & 0xff)]! ^
      t[0x600 + ((c >>> 8) & 0xff)]! ^
      t[0x500 + ((c >>> 16) & 0xff)]! ^
      t[0x400 + (c >>> 24)]! ^
      t[0x300 + (d & 0xff)]! ^
      t[0x200 + ((d >>> 8) & 0xff)]! ^
      t[0x100 + ((d >>> 16) & 0xff)]! ^
      t[d >>> 24]!;
  }
  at += steps * BYTES_A_STEP;
  for (; at < byteLength; at++) crc = (crc >>> 8) ^ t[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}
