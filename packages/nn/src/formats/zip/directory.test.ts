import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { bytesSource } from '../source.ts';
import { floats, join, type ZipEntry, type ZipLies, zip } from '../zip.fixture.ts';
import { readDirectory } from './directory.ts';
import { RecordBytes } from './record.ts';

const data = floats(1, 2, 3, 4);
const two = (first: Partial<ZipEntry> = {}, second: Partial<ZipEntry> = {}): ZipEntry[] => [
  { name: 'a/one', data, ...first },
  { name: 'a/two', data: floats(5), ...second },
];

/** Opens a zip file and reads all its records. */
async function readZip(bytes: Uint8Array): Promise<Map<string, Uint8Array>> {
  const source = bytesSource('x.zip', bytes);
  const contents = new Map<string, Uint8Array>();
  for (const [name, record] of await readDirectory(source)) {
    contents.set(name, await new RecordBytes(source, record).read());
  }
  return contents;
}

/** A zip64 extra field. */
function wideExtra(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + values.length * 8));
  view.setUint16(0, 1, true);
  view.setUint16(2, values.length * 8, true);
  for (const [i, value] of values.entries()) view.setBigUint64(4 + i * 8, BigInt(value), true);
  return new Uint8Array(view.buffer);
}
const ALL_ONES = 0xffffffff;

describe('a zip file', () => {
  it.each<[string, Uint8Array]>([
    ['stored', zip(two())],
    ['deflated', zip(two({ deflate: true }, { deflate: true }))],
    ['with 64-bit end records', zip(two(), { wide: {} })],
    [
      'with 64-bit end records only',
      zip(two(), { wide: {}, count: 0xffff, directorySize: ALL_ONES, directoryOffset: ALL_ONES }),
    ],
    [
      'with a 64-bit size',
      zip(two({ central: { size: ALL_ONES, packed: ALL_ONES, extra: wideExtra(16, 16) } })),
    ],
    [
      'with sizes behind the data',
      zip(two({ central: { flags: 8 }, local: { flags: 8, crc: 0, size: 0, packed: 0 } })),
    ],
    ['with other extra fields', zip(two({ local: { extra: Uint8Array.of(0x46, 0x42, 2, 0, 9, 9) } }))],
  ])('that is %s is read', async (_, bytes) => {
    const contents = await readZip(bytes);
    expect([...contents.keys()]).toEqual(['a/one', 'a/two']);
    expect([...contents.get('a/one')!]).toEqual([...data]);
  });

  const lies: [string, ZipLies][] = [
    ['a comment', { comment: new TextEncoder().encode('hello') }],
    ['another end record in its comment', { comment: zip(two()) }],
    ['too many entries announced', { count: 3 }],
    ['65534 entries announced', { count: 65534 }],
    ['too few entries announced', { count: 1 }],
    ['a directory that begins elsewhere', { directoryOffset: 3 }],
    ['a directory outside the file', { directoryOffset: 0xfffffff0 }],
    ['a directory of another size', { directorySize: 10 }],
    ['a directory of 4 GiB', { directorySize: 0xfffffff0 }],
    ['bytes before the first record', { before: new Uint8Array(5) }],
    [
      '64-bit markers without 64-bit records',
      { count: 0xffff, directorySize: ALL_ONES, directoryOffset: ALL_ONES },
    ],
    ['a 64-bit count that disagrees', { wide: { count: 3 } }],
    ['a 64-bit size that disagrees', { wide: { size: 5 } }],
    ['a 64-bit offset that disagrees', { wide: { offset: 0 } }],
    ['a 64-bit locator that points elsewhere', { wide: { locator: 7 } }],
    ['a 64-bit end record of another length', { wide: { recordSize: 2 ** 40 } }],
  ];
  it.each(lies)('with %s is refused', async (_, lie) => {
    await expect(readZip(zip(two(), lie))).rejects.toThrow(AsMlpError);
  });

  it.each<[string, ZipEntry[]]>([
    ['two records of one name', two({ name: 'a/two' })],
    ['a name that differs in the record', two({ local: { name: 'a/0ne' } })],
    ['a name of another length in the record', two({ local: { name: 'a/onee' } })],
    ['a size that differs in the record', two({ local: { size: 15, packed: 15 } })],
    ['a checksum that differs in the record', two({ local: { crc: 1 } })],
    ['a compression that differs in the record', two({ local: { method: 8 } })],
    [
      'zero sizes in the record, though nothing stands behind the data',
      two({ local: { size: 0, packed: 0 } }),
    ],
    ['an encrypted record', two({ local: { flags: 1 } })],
    ['an encrypted entry', two({ central: { flags: 1 } })],
    ['a strongly encrypted entry', two({ central: { flags: 1 << 6 } })],
    ['masked headers', two({ central: { flags: 1 << 13 } })],
    ['an unknown compression', two({ central: { method: 12 }, local: { method: 12 } })],
    ['a wrong checksum', two({ central: { crc: 1 }, local: { crc: 1 } })],
    ['two sizes of stored data', two({ central: { size: 17 }, local: { size: 17 } })],
    ['a record of 4 GiB', two({ central: { size: 0xfffffff0, packed: 0xfffffff0 } })],
    [
      'a record that reaches into the next',
      two({ central: { size: 60, packed: 60 }, local: { size: 60, packed: 60 } }),
    ],
    ['a record that reaches into the directory', two({}, { central: { size: 60, packed: 60 } })],
    ['two entries for one record', two({}, { central: { offset: 0 } })],
    ['an entry inside another record', two({}, { central: { offset: 40 } })],
    ['an entry beyond the file', two({}, { central: { offset: 10_000 } })],
    ['an extra field that is cut off', two({ central: { extra: Uint8Array.of(9, 9, 200, 0) } })],
    [
      'an extra field that reaches over the next record',
      two({ local: { extra: new Uint8Array(0), name: 'a/one' } }, {}).concat({
        name: 'a/three',
        data,
        central: { offset: 1 },
      }),
    ],
    ['a 64-bit size that nothing asks for', two({ central: { extra: wideExtra(2 ** 40) } })],
    ['a 64-bit size that is missing', two({ central: { size: ALL_ONES, packed: ALL_ONES } })],
    ['too few 64-bit sizes', two({ central: { size: ALL_ONES, packed: ALL_ONES, extra: wideExtra(16) } })],
    [
      'a 64-bit size of 2^63',
      two({ central: { size: ALL_ONES, packed: ALL_ONES, extra: wideExtra(2 ** 63, 2 ** 63) } }),
    ],
    [
      'two 64-bit size fields',
      two({ central: { size: ALL_ONES, extra: join([wideExtra(16), wideExtra(99)]) } }),
    ],
    ['an empty name', two({ name: '' })],
    ['a name with a zero byte', two({ name: 'a/one\0.txt' })],
    ['a name with a line break', two({ name: 'a/one\n' })],
  ])('with %s is refused', async (_, entries) => {
    await expect(readZip(zip(entries))).rejects.toThrow(AsMlpError);
  });

  it.each<[string, Partial<ZipEntry>, string]>([
    [
      'more than it says',
      { central: { size: 15 }, local: { size: 15 } },
      'unpacks to more than the 15 bytes',
    ],
    ['less than it says', { central: { size: 17 }, local: { size: 17 } }, 'unpacks to 16 of the 17 bytes'],
    [
      '4 GiB from some bytes',
      { central: { size: 0xfffffff0 }, local: { size: 0xfffffff0 } },
      'which no compression can',
    ],
  ])('that unpacks to %s is refused', async (_, lie, message) => {
    await expect(readZip(zip(two({ deflate: true, ...lie })))).rejects.toThrow(message);
  });

  it('stops to unpack at the size that it names', async () => {
    const bomb = { name: 'a/one', data: new Uint8Array(64 * 2 ** 20), deflate: true };
    const lie = { size: 1000 };
    await expect(readZip(zip([{ ...bomb, central: lie, local: lie }]))).rejects.toThrow(
      'more than the 1000 bytes',
    );
  });

  it('with broken compressed data is refused', async () => {
    const bytes = zip(two({ data: floats(...new Array(50).fill(7)), deflate: true }));
    bytes.fill(0xff, 35, 45);
    await expect(readZip(bytes)).rejects.toThrow('has broken compressed data');
  });

  it('with a name that is no UTF-8 is refused', async () => {
    const bytes = zip([{ name: 'a/one', data }]);
    for (const at of [30, bytes.length - 22 - 5]) bytes[at] = 0xff;
    await expect(readZip(bytes)).rejects.toThrow('without a proper name');
  });

  it('that is cut off anywhere is refused', async () => {
    const bytes = zip(two());
    for (let length = 0; length < bytes.length; length++) {
      await expect(readZip(bytes.slice(0, length)), `${length} bytes`).rejects.toThrow(AsMlpError);
    }
  });
});
