import { readFile } from 'node:fs/promises';
import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { decodeLabels } from './decode-labels.ts';
import { encodeLabels, encodePng } from './encode.ts';
import { goldenPath, pattern, readGolden } from './golden.fixture.ts';

interface StoredLabels {
  readonly png: string;
  readonly height: number;
  readonly width: number;
  readonly labels: readonly number[];
}

const stored = Object.entries(await readGolden<Record<string, StoredLabels>>('labels.json'));
const ramp = <A extends Uint8Array | Uint16Array>(data: A) => {
  for (let i = 0; i < data.length; i++) data[i] = i * 7;
  return { height: 5, width: data.length / 5, data };
};

describe('decodeLabels', () => {
  it.each(stored)('reads the numbers that are stored in a PNG of %s', async (_, expected) => {
    const { height, width, data } = await decodeLabels(Buffer.from(expected.png, 'base64'));
    expect([height, width]).toEqual([expected.height, expected.width]);
    expect([...data]).toEqual(expected.labels);
  });

  it('gives back what encodeLabels wrote, in 8 and 16 bits', async () => {
    for (const labels of [ramp(new Uint8Array(40)), ramp(new Uint16Array(35000))]) {
      const read = await decodeLabels(await encodeLabels(labels));
      expect(read.data.constructor).toBe(labels.data.constructor);
      expect(read).toEqual(labels);
    }
  });

  it('refuses colours, other formats and damaged files, naming them', async () => {
    const fault = async (bytes: Uint8Array) => {
      const error = await decodeLabels(bytes, { name: 'a.png' }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(AsMlpError);
      return (error as AsMlpError).message;
    };
    expect(await fault(await encodePng(pattern(4, 4)))).toMatch(/a\.png: .*one channel/);
    expect(await fault(await readFile(goldenPath('kinds/grey.jpg')))).toContain(
      'a jpeg file is no label map',
    );
    const whole = await encodeLabels(ramp(new Uint8Array(40)));
    expect(await fault(whole.subarray(0, whole.length - 30))).toContain('damaged or cut off');
    const palette = Buffer.from(stored.find(([name]) => name.startsWith('palette, 8'))![1].png, 'base64');
    expect(await fault(palette.subarray(0, palette.length - 30))).toContain('damaged or cut off');
    expect(await fault(palette.subarray(0, 40))).toContain('damaged or cut off');
  });
});
