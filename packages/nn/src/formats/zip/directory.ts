import { damaged, quote, unsupported } from '../errors.ts';
import { type ByteSource, readBytes } from '../source.ts';
import { findDirectory } from './end-record.ts';

/** One record of a zip file, as its central directory describes it. */
export interface ZipRecord {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly deflated: boolean;
  readonly crc: number;
  /** Bytes in the file. */
  readonly packedSize: number;
  /** Bytes of the content. */
  readonly size: number;
  readonly headerOffset: number;
  /** Where the next record's header or the central directory begins: nothing of this record may reach it. */
  readonly limit: number;
}

export const STORED = 0;
export const DEFLATED = 8;

const HEADER_SIZE = 46;
const HEADER_SIGNATURE = 0x02014b50;
const LOCAL_HEADER_SIZE = 30;
/** Encrypted, patched, strongly encrypted, masked headers. */
export const REFUSED_FLAGS = (1 << 0) | (1 << 5) | (1 << 6) | (1 << 13);
/** Some twenty times what the largest checkpoints with optimizer state have. */
const MOST_RECORDS = 65_536;
const LARGEST_DIRECTORY = 16 * 2 ** 20;
/** A deflate stream of n bytes unpacks to at most 1032·n. */
const LARGEST_GROWTH = 1032;

/**
 * Reads the central directory of a zip file. Whatever two readers could understand differently is an
 * error: comments, gaps, duplicate names, records that overlap, counts and sizes that disagree.
 */
export async function readDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipRecord>> {
  const { offset, size, count } = await findDirectory(source);
  if (count > MOST_RECORDS || size > LARGEST_DIRECTORY) {
    const fix = 'A checkpoint has some thousands: save only the weights';
    throw unsupported(source.name, `is a zip file of ${count} records, which is too many`, fix);
  }
  const bytes = await readBytes(source, offset, size);
  const records: Omit<ZipRecord, 'limit'>[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    const { record, end } = readHeader(source.name, bytes, at);
    records.push(record);
    at = end;
  }
  if (at !== size) throw damaged(source.name, `has ${size - at} bytes after the zip directory's last entry`);
  return arrange(source.name, records, offset);
}

function readHeader(
  where: string,
  bytes: Uint8Array,
  at: number,
): { record: Omit<ZipRecord, 'limit'>; end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const short = () => damaged(where, 'has a zip directory that ends early');
  if (at + HEADER_SIZE > bytes.length) throw short();
  if (view.getUint32(at, true) !== HEADER_SIGNATURE) throw damaged(where, 'has a broken zip directory');
  const nameLength = view.getUint16(at + 28, true);
  const extraLength = view.getUint16(at + 30, true);
  const commentLength = view.getUint16(at + 32, true);
  const nameStart = at + HEADER_SIZE;
  const end = nameStart + nameLength + extraLength + commentLength;
  if (end > bytes.length) throw short();

  const nameBytes = bytes.slice(nameStart, nameStart + nameLength);
  const name = decodeName(where, nameBytes);
  const record = `${where}, ${name}`;
  if (view.getUint16(at + 8, true) & REFUSED_FLAGS) {
    throw unsupported(record, 'is encrypted or patched', 'Save the file again without encryption');
  }
  const method = view.getUint16(at + 10, true);
  if (method !== STORED && method !== DEFLATED) {
    throw unsupported(record, `is compressed by method ${method}`, 'Save the file again with torch.save');
  }
  if (view.getUint16(at + 34, true) !== 0) throw damaged(record, 'lies on another disk');
  const extra = bytes.subarray(nameStart + nameLength, nameStart + nameLength + extraLength);
  const [size, packedSize, headerOffset] = widen(record, extra, [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ]) as [number, number, number];
  if (method === STORED && size !== packedSize) {
    throw damaged(record, `is stored as it is, but has two sizes, ${size} and ${packedSize}`);
  }
  if (method === DEFLATED && size > packedSize * LARGEST_GROWTH) {
    throw damaged(record, `claims to unpack from ${packedSize} to ${size} bytes, which no compression can`);
  }
  const crc = view.getUint32(at + 16, true);
  return {
    record: { name, nameBytes, deflated: method === DEFLATED, crc, packedSize, size, headerOffset },
    end,
  };
}

function decodeName(where: string, bytes: Uint8Array): string {
  let name: string | undefined;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // reported below
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  if (!name || /[\u0000-\u001f\u007f]/.test(name))
    throw damaged(where, 'has a zip record without a proper name');
  return name;
}

/** Replaces the fields that are all ones by their 64-bit values from the zip64 extra field. */
export function widen(where: string, extra: Uint8Array, fields: readonly number[]): number[] {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  let zip64: { at: number; end: number } | undefined;
  let at = 0;
  while (at < extra.length) {
    const end = at + 4 <= extra.length ? at + 4 + view.getUint16(at + 2, true) : Number.POSITIVE_INFINITY;
    if (end > extra.length) throw damaged(where, 'has a broken extra field');
    if (view.getUint16(at, true) === 1) {
      if (zip64) throw damaged(where, 'has two 64-bit size fields');
      zip64 = { at: at + 4, end };
    }
    at = end;
  }
  const wide = fields.filter((field) => field === 0xffffffff).length;
  const given = zip64 ? zip64.end - zip64.at : 0;
  if (given !== wide * 8) throw damaged(where, `needs ${wide} 64-bit sizes and has ${given / 8}`);
  let next = zip64?.at ?? 0;
  return fields.map((field) => {
    if (field !== 0xffffffff) return field;
    const value = Number(view.getBigUint64(next, true));
    next += 8;
    return value;
  });
}

/** Checks names and places of all records together. */
function arrange(
  where: string,
  records: readonly Omit<ZipRecord, 'limit'>[],
  directoryOffset: number,
): ReadonlyMap<string, ZipRecord> {
  const byOffset = [...records].sort((a, b) => a.headerOffset - b.headerOffset);
  if (byOffset[0] && byOffset[0].headerOffset !== 0)
    throw damaged(where, 'has bytes before its first record');
  const limits = new Map<Omit<ZipRecord, 'limit'>, number>();
  for (const [i, record] of byOffset.entries()) {
    const limit = byOffset[i + 1]?.headerOffset ?? directoryOffset;
    const least = record.headerOffset + LOCAL_HEADER_SIZE + record.nameBytes.length + record.packedSize;
    if (!(least <= limit)) throw damaged(`${where}, ${record.name}`, 'overlaps what follows it in the file');
    limits.set(record, limit);
  }
  const byName = new Map<string, ZipRecord>();
  for (const record of records) {
    if (byName.has(record.name)) throw damaged(where, `has two records named ${quote(record.name)}`);
    byName.set(record.name, { ...record, limit: limits.get(record)! });
  }
  return byName;
}
