import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import type { RgbImage } from './image.ts';

/** Path of a file of expected pixels. */
export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
}

/** The content of a JSON file of expected pixels. */
export async function readGolden<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(goldenPath(name), 'utf8')) as T;
}

/** CRC-32 of bytes, as the expected pixels give it. */
export function checksum({ buffer, byteOffset, byteLength }: Uint8Array | Uint16Array): string {
  return crc32(new Uint8Array(buffer, byteOffset, byteLength))
    .toString(16)
    .padStart(8, '0');
}

/** The image that `resize.json` was made from. */
export function pattern(height: number, width: number): RgbImage {
  const data = new Uint8Array(height * width * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const tile = 97 * ((Math.floor(x / 5) + Math.floor(y / 3)) % 2);
      for (let c = 0; c < 3; c++) data[i++] = (7 * x + 13 * y + 29 * c + ((x * y) % 251) + tile) % 256;
    }
  }
  return { height, width, data };
}
