import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { decodeImage, readImageSize } from './decode.ts';
import { encodePng } from './encode.ts';
import { checksum, goldenPath, pattern, readGolden } from './golden.fixture.ts';

interface Kind {
  readonly mode: string;
  readonly height: number;
  readonly width: number;
  readonly rgb: string;
}

const kinds = Object.entries(await readGolden<Record<string, Kind>>('kinds.json'));
const jpeg = await readFile(goldenPath('kinds/chroma-420.jpg'));

const failure = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(AsMlpError);
  return error as AsMlpError;
};

describe('decodeImage', () => {
  it.each(kinds)("gives Pillow's RGB bytes for %s", async (file, expected) => {
    const { height, width, data } = await decodeImage(goldenPath(`kinds/${file}`));
    expect({ height, width, rgb: checksum(data) }).toEqual({
      height: expected.height,
      width: expected.width,
      rgb: expected.rgb,
    });
  });

  it('reads bytes like files, and tells the format by content', async () => {
    const image = pattern(5, 7);
    expect(await decodeImage(await encodePng(image))).toEqual(image);
  });

  it('turns by EXIF orientation only when asked', async () => {
    const path = goldenPath('kinds/exif-6.jpg');
    const stored = await decodeImage(path);
    const turned = await decodeImage(path, { orient: true });
    expect([turned.height, turned.width]).toEqual([stored.width, stored.height]);
    // Orientation 6: the first row of the turned image is the first column of the stored one, from below.
    for (let x = 0; x < turned.width; x++) {
      const at = (stored.height - 1 - x) * stored.width * 3;
      expect(turned.data.subarray(x * 3, x * 3 + 3)).toEqual(stored.data.subarray(at, at + 3));
    }
    expect(await readImageSize(path)).toEqual({ height: stored.height, width: stored.width });
    expect(await readImageSize(path, { orient: true })).toEqual({
      height: turned.height,
      width: turned.width,
    });
  });

  it.each([
    ['empty.png', /the file is empty/],
    ['text.png', /it is not an image: it starts with "this is "/],
    ['svg.png', /it is not an image: it starts with "<svg xml"/],
    ['pdf.png', /it is not an image/],
    ['zero_size.png', /it declares 0×10 pixels/],
    ['short_idat.png', /damaged or cut off/],
    ['checksum.png', /damaged or cut off/],
    ['truncated.jpg', /damaged or cut off \(VipsJpeg: premature end of JPEG image\)/],
    ['truncated.webp', /damaged or cut off/],
    ['truncated.gif', /damaged or cut off/],
    ['truncated.tiff', /damaged or cut off/],
    ['bomb_100000x100000.png', /declares 100000×100000 pixels .* limit of 32768 a side/],
    ['animated.gif', /it has 3 frames/],
    ['animated.webp', /it has 3 frames/],
    ['animated.png', /it has 3 frames/],
    ['pages.tiff', /it has 3 frames/],
    ['animated.avif', /several frames/],
  ])('refuses %s, naming it', async (file, message) => {
    const path = goldenPath(`hostile/${file}`);
    const error = await failure(decodeImage(path));
    expect(error).toMatchObject({ kind: 'image', where: path });
    expect(error.message).toMatch(message);
    expect(error.fix).toBeTruthy();
  });

  it('checks every limit against the header', async () => {
    const path = goldenPath('kinds/rgba-16bit.png');
    expect(await readImageSize(path)).toEqual({ height: 61, width: 83 });
    for (const [limits, message] of [
      [{ pixels: 61 * 83 - 1 }, /more than the limit of 5062 in all/],
      [{ side: 82 }, /longer than the limit of 82 a side/],
      [{ channels: 3 }, /4 channels, more than the limit of 3/],
      [{ bytes: 100 }, /bytes, more than the limit of 100/],
    ] as const) {
      expect((await failure(decodeImage(path, { limits }))).message).toMatch(message);
      expect((await failure(readImageSize(path, { limits }))).message).toMatch(message);
    }
    const bytes = await readFile(path);
    expect((await failure(decodeImage(bytes, { limits: { bytes: 100 }, name: 'upload 3' }))).where).toBe(
      'upload 3',
    );
    await decodeImage(path, { limits: { pixels: 61 * 83, side: 83, channels: 4 } });
  });

  it('takes the first frame where more are allowed', async () => {
    const { height, width } = await decodeImage(goldenPath('hostile/animated.gif'), {
      limits: { frames: 3 },
    });
    expect([height, width]).toEqual([20, 30]);
  });

  it('refuses a JPEG cut anywhere and ignores bytes after its end', async () => {
    const whole = await decodeImage(jpeg);
    expect(await decodeImage(Buffer.concat([jpeg, Buffer.from('\0trailing bytes')]))).toEqual(whole);
    for (const length of [2, 200, jpeg.length >> 1, jpeg.length - 40, jpeg.length - 2]) {
      expect(await failure(decodeImage(jpeg.subarray(0, length)))).toMatchObject({ kind: 'image' });
    }
  });

  it('refuses errors inside JPEG data unless it is told to be tolerant', async () => {
    const table = jpeg.indexOf(Buffer.from([0xff, 0xdb]));
    const damaged = Buffer.concat([
      jpeg.subarray(0, table),
      Buffer.from([0, 0x11, 0x22]),
      jpeg.subarray(table),
    ]);
    expect((await failure(decodeImage(damaged))).message).toMatch(/extraneous bytes/);
    expect(await decodeImage(damaged, { tolerant: true })).toEqual(await decodeImage(jpeg));
    await failure(decodeImage(jpeg.subarray(0, jpeg.length >> 1), { tolerant: true }));
  });

  it('says what is wrong with a path', async () => {
    expect(await failure(decodeImage('no/such/file.png'))).toMatchObject({
      kind: 'input',
      where: 'no/such/file.png',
    });
    expect((await failure(decodeImage(goldenPath('kinds')))).message).toMatch(/this is a folder/);
    expect((await failure(decodeImage('/dev/null'))).message).toMatch(/not a regular file/);
    expect(await failure(readImageSize('no/such/file.png'))).toMatchObject({ kind: 'input' });
  });

  it('survives damage anywhere in a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'as-mlp-data-'));
    try {
      const source = await readFile(goldenPath('kinds/palette-2bit.png'));
      let refused = 0;
      for (let i = 0; i < source.length; i += 7) {
        const damaged = Buffer.from(source);
        damaged[i] = damaged[i]! ^ 0xff;
        const path = join(folder, `${i}.png`);
        await writeFile(path, damaged);
        const outcome = await decodeImage(path).catch((error: unknown) => error);
        if (!(outcome instanceof Error)) continue;
        expect(outcome).toMatchObject({ kind: 'image', where: path });
        refused++;
      }
      expect(refused).toBeGreaterThan(20);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
