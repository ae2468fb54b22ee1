// Small pictures made on the spot, so that the real runs of `npm test` need no files of their own.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

/** Writes an 8-bit RGB PNG; `pixel(x, y)` gives [r, g, b] in 0–255. */
export function writePng(path, width, height, pixel) {
  writeSamples(path, width, height, 3, pixel);
}

/** Writes an 8-bit grey PNG; `label(x, y)` gives 0–255. */
export function writeLabels(path, width, height, label) {
  writeSamples(path, width, height, 1, (x, y) => [label(x, y)]);
}

function writeSamples(path, width, height, channels, pixel) {
  const row = width * channels + 1;
  const rows = Buffer.alloc(row * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) rows.set(pixel(x, y), y * row + 1 + x * channels);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, channels === 3 ? 2 : 0, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    Buffer.concat([
      signature,
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(rows)),
      chunk('IEND', Buffer.alloc(0)),
    ]),
  );
}

/** An image of class `kind`: stripes that lie, stand, or a plain disc, with a little variation by `seed`. */
export function writeSample(path, kind, seed, size = 40) {
  const period = 6 + (seed % 3);
  const tint = (seed * 37) % 90;
  const shapes = {
    lying: (_, y) => y % period < period / 2,
    standing: (x) => x % period < period / 2,
    disc: (x, y) => Math.hypot(x - size / 2, y - size / 2) < size / 3 + (seed % 4),
  };
  writePng(path, size, size, (x, y) => (shapes[kind](x, y) ? [220, 200 - tint, 160] : [20, 30 + tint, 60]));
}

/** An ImageFolder `root/{train,val}/<class>/<n>.png` with three classes. Returns the class names in order. */
export function writeImageFolder(root, { train, val }) {
  const classes = ['disc', 'lying', 'standing'];
  for (const [split, count] of Object.entries({ train, val })) {
    for (const name of classes) {
      for (let i = 0; i < count; i++) {
        writeSample(`${root}/${split}/${name}/${i}.png`, name, split === 'train' ? i : i + 100);
      }
    }
  }
  return classes;
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
