import { AsMlpError } from '@as-mlp/base';
import { Inflate } from 'fflate';
import { crc32 } from '../crc32.ts';
import { damaged } from '../errors.ts';
import { type ByteSource, readBytes } from '../source.ts';
import type { StorageBytes } from '../tensor.ts';
import { DEFLATED, REFUSED_FLAGS, STORED, widen, type ZipRecord } from './directory.ts';

const HEADER_SIZE = 30;
const HEADER_SIGNATURE = 0x04034b50;
const HAS_DESCRIPTOR = 1 << 3;
/** Deflate grows at most a thousandfold, so a step of input makes at most some 4 MB before it is counted. */
const INFLATE_STEP = 4096;
const CHECK_STEP = 4 * 2 ** 20;

/**
 * The content of one zip record. Its CRC-32 is verified once over the whole record, before the first
 * byte is handed out; afterwards parts of a stored record are read where they lie.
 */
export class RecordBytes implements StorageBytes {
  readonly size: number;
  readonly seekable: boolean;
  private readonly source: ByteSource;
  private readonly record: ZipRecord;
  private readonly where: string;
  private start: Promise<number> | undefined;
  private verified = false;
  private verifying: Promise<void> | undefined;

  constructor(source: ByteSource, record: ZipRecord) {
    this.source = source;
    this.record = record;
    this.where = `${source.name}, ${record.name}`;
    this.size = record.size;
    this.seekable = !record.deflated;
  }

  /** Checks the record's own header against the directory; where its data begin. */
  locate(): Promise<number> {
    this.start ??= locateData(this.source, this.record, this.where);
    return this.start;
  }

  async read(offset = 0, length = this.size): Promise<Uint8Array> {
    const start = await this.locate();
    if (this.record.deflated) {
      const content = inflate(
        await readBytes(this.source, start, this.record.packedSize),
        this.size,
        this.where,
      );
      this.check(crc32(content));
      return content.subarray(offset, offset + length);
    }
    if (length === this.size) {
      const content = await readBytes(this.source, start, length);
      if (!this.verified) this.check(crc32(content));
      return content;
    }
    if (!this.verified) {
      this.verifying ??= this.verify(start);
      await this.verifying;
    }
    return readBytes(this.source, start + offset, length);
  }

  /** The whole record in steps, so that checking takes no memory. */
  private async verify(start: number): Promise<void> {
    let crc = 0;
    for (let at = 0; at < this.size; at += CHECK_STEP) {
      const step = Math.min(CHECK_STEP, this.size - at);
      crc = crc32(await readBytes(this.source, start + at, step), crc);
    }
    this.check(crc);
  }

  private check(crc: number): void {
    if (crc !== this.record.crc)
      throw damaged(this.where, 'does not have the checksum that was stored with it');
    this.verified = true;
  }
}

/** Reads the header that stands before a record's data and holds it against the directory. */
async function locateData(source: ByteSource, record: ZipRecord, where: string): Promise<number> {
  const { headerOffset, nameBytes } = record;
  const fixed = await readBytes(source, headerOffset, HEADER_SIZE + nameBytes.length);
  const view = new DataView(fixed.buffer, fixed.byteOffset, fixed.byteLength);
  const disagree = (what: string) =>
    damaged(where, `the record and the zip directory disagree on the ${what}`);
  if (view.getUint32(0, true) !== HEADER_SIGNATURE)
    throw damaged(where, 'the zip directory points beside the record');
  const flags = view.getUint16(6, true);
  if (flags & REFUSED_FLAGS) throw disagree('encryption');
  if (view.getUint16(8, true) !== (record.deflated ? DEFLATED : STORED)) throw disagree('compression');
  const sameName =
    view.getUint16(26, true) === nameBytes.length &&
    nameBytes.every((byte, i) => fixed[HEADER_SIZE + i] === byte);
  if (!sameName) throw disagree('name');

  const extraLength = view.getUint16(28, true);
  const extraStart = headerOffset + HEADER_SIZE + nameBytes.length;
  const start = extraStart + extraLength;
  if (start + record.packedSize > record.limit) throw damaged(where, 'overlaps what follows it in the file');
  const narrow = [view.getUint32(22, true), view.getUint32(18, true)];
  const [size, packedSize] = narrow.includes(0xffffffff)
    ? widen(where, await readBytes(source, extraStart, extraLength), narrow)
    : narrow;
  // With a data descriptor the sizes and the checksum may stand behind the data and be zero here.
  const deferred = (flags & HAS_DESCRIPTOR) !== 0;
  const same = (local: number | undefined, central: number) => local === central || (deferred && local === 0);
  if (!same(size, record.size) || !same(packedSize, record.packedSize)) throw disagree('size');
  if (!same(view.getUint32(14, true), record.crc)) throw disagree('checksum');
  return start;
}

/** Inflates to exactly `size` bytes; stops as soon as there would be more. */
function inflate(packed: Uint8Array, size: number, where: string): Uint8Array {
  const out = new Uint8Array(size);
  let at = 0;
  const tooLong = () => damaged(where, `unpacks to more than the ${size} bytes that the zip directory names`);
  const stream = new Inflate((chunk) => {
    if (at + chunk.length > size) throw tooLong();
    out.set(chunk, at);
    at += chunk.length;
  });
  try {
    for (let from = 0; from < packed.length; from += INFLATE_STEP) {
      const to = Math.min(from + INFLATE_STEP, packed.length);
      stream.push(packed.subarray(from, to), to === packed.length);
    }
  } catch (error) {
    if (error instanceof AsMlpError) throw error;
    throw damaged(where, 'has broken compressed data', error);
  }
  if (at !== size) throw damaged(where, `unpacks to ${at} of the ${size} bytes that the zip directory names`);
  return out;
}
