import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goldenPath } from './golden.fixture.ts';
import { readHeader } from './header.ts';
import { sharp } from './sharp.ts';
import { sniffFormat } from './sniff.ts';

const files = await Promise.all(
  ['kinds', 'photos'].map(async (folder) =>
    (await readdir(goldenPath(folder))).map((name) => `${folder}/${name}`),
  ),
);
const read = files.flat().filter((path) => /\.(png|jpg)$/.test(path));

describe('readHeader', () => {
  it.each(read)('agrees with the decoder on %s', async (path) => {
    const bytes = await readFile(goldenPath(path));
    const header = readHeader(bytes, sniffFormat(bytes, path));
    const { height, width, space } = await sharp(bytes).metadata();
    expect(header).toMatchObject({ height, width, frames: 1, isCmyk: space === 'cmyk' });
  });

  it('counts the frames of an animated PNG', async () => {
    expect(readHeader(await readFile(goldenPath('hostile/animated.png')), 'png')).toMatchObject({
      frames: 3,
    });
  });

  it('leaves other formats and unusual files to the decoder', async () => {
    expect(readHeader(await readFile(goldenPath('kinds/lossy.webp')), 'webp')).toBeUndefined();
    const jpeg = await readFile(goldenPath('kinds/grey.jpg'));
    const junk = Buffer.concat([jpeg.subarray(0, 2), Buffer.from([1, 2, 3]), jpeg.subarray(2)]);
    expect(readHeader(junk, 'jpeg')).toBeUndefined();
    expect(readHeader(jpeg.subarray(0, 30), 'jpeg')).toBeUndefined();
  });

  it('reads any bytes without harm', async () => {
    const sources = await Promise.all(
      ['kinds/grey.jpg', 'hostile/animated.png'].map((f) => readFile(goldenPath(f))),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...sources),
        fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 20 }),
        fc.nat(5000),
        (source, changes, length) => {
          const bytes = Uint8Array.from(source.subarray(0, length));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          for (const format of ['jpeg', 'png'] as const) readHeader(bytes, format);
        },
      ),
      { numRuns: 500 },
    );
  });
});
