import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import type { WeightFile } from './weight-file.ts';

/** Files of `golden/formats/` that were packed together, because they share most of their bytes. */
export interface Pack<About> {
  readonly about: About;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Unpacks in memory: a brotli stream of a header's length (4 bytes), a JSON header, and the files one after another. */
export function unpack<About>(name: string): Pack<About> {
  const bytes = brotliDecompressSync(readFileSync(new URL(`../../golden/formats/${name}`, import.meta.url)));
  const headerEnd = 4 + bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.toString('utf8', 4, headerEnd)) as {
    about: About;
    files: [string, number][];
  };
  const files = new Map<string, Uint8Array>();
  let at = headerEnd;
  for (const [file, length] of header.files) {
    files.set(file, new Uint8Array(bytes.subarray(at, at + length)));
    at += length;
  }
  return { about: header.about, files };
}

/** Every entry's values, read one after the other. */
export async function readAll(file: WeightFile): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const [name, entry] of file.entries) values.set(name, await entry.read());
  return values;
}

export const HOSTILE: Pack<
  Record<string, { must: string; level: string; why: string; headBias?: number[] }>
> = unpack('hostile.bin');

/** One small network in every container that must be read, and what PyTorch says about its first two files. */
export const VARIANTS: Pack<{
  /** By file: `same` values, or rounded to `fp16` or `bf16`. */
  variants: Record<string, 'same' | 'fp16' | 'bf16'>;
  tensors: Record<string, { shape: number[]; l2: number; sum: number; first: number[] }>;
}> = unpack('variants.bin');
