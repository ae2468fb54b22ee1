import { deflateSync } from 'fflate';
import { crc32 } from './crc32.ts';

/** One record and the lies about it. */
export interface ZipEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly deflate?: boolean;
  /** Overrides fields of the central directory. */
  readonly central?: Partial<Fields>;
  /** Overrides fields of the record's own header. */
  readonly local?: Partial<Fields>;
}

interface Fields {
  name: string;
  flags: number;
  method: number;
  crc: number;
  packed: number;
  size: number;
  offset: number;
  extra: Uint8Array;
}

/** Lies about the whole file. */
export interface ZipLies {
  readonly comment?: Uint8Array;
  readonly count?: number;
  readonly directorySize?: number;
  readonly directoryOffset?: number;
  /** Bytes between the records and the directory. */
  readonly gap?: number;
  /** Bytes before the first record. */
  readonly before?: Uint8Array;
  /** Adds 64-bit end records with these values. */
  readonly wide?: { count?: number; size?: number; offset?: number; locator?: number; recordSize?: number };
}

/** A zip file, honest by default. */
export function zip(entries: readonly ZipEntry[], lies: ZipLies = {}): Uint8Array {
  const parts: Uint8Array[] = [lies.before ?? new Uint8Array(0)];
  const directory: Uint8Array[] = [];
  let at = parts[0]!.length;
  for (const entry of entries) {
    const packed = entry.deflate ? deflateSync(entry.data) : entry.data;
    const honest: Fields = {
      name: entry.name,
      flags: 0,
      method: entry.deflate ? 8 : 0,
      crc: crc32(entry.data),
      packed: packed.length,
      size: entry.data.length,
      offset: at,
      extra: new Uint8Array(0),
    };
    const local = header(0x04034b50, { ...honest, ...entry.local });
    directory.push(header(0x02014b50, { ...honest, ...entry.central }));
    parts.push(local, packed);
    at += local.length + packed.length;
  }
  parts.push(new Uint8Array(lies.gap ?? 0));
  at += lies.gap ?? 0;
  const size = directory.reduce((total, part) => total + part.length, 0);
  parts.push(...directory, ...endRecords(entries.length, size, at, lies));
  return join(parts);
}

function header(signature: number, fields: Fields): Uint8Array {
  const central = signature === 0x02014b50;
  const name = new TextEncoder().encode(fields.name);
  const fixed = central ? 46 : 30;
  const out = new Uint8Array(fixed + name.length + fields.extra.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, signature, true);
  // The directory's entry has the writer's version before the fields that both have.
  const shift = central ? 2 : 0;
  view.setUint16(6 + shift, fields.flags, true);
  view.setUint16(8 + shift, fields.method, true);
  view.setUint32(14 + shift, fields.crc, true);
  view.setUint32(18 + shift, fields.packed, true);
  view.setUint32(22 + shift, fields.size, true);
  view.setUint16(26 + shift, name.length, true);
  view.setUint16(28 + shift, fields.extra.length, true);
  if (central) view.setUint32(42, fields.offset, true);
  out.set(name, fixed);
  out.set(fields.extra, fixed + name.length);
  return out;
}

function endRecords(count: number, size: number, offset: number, lies: ZipLies): Uint8Array[] {
  const { comment = new Uint8Array(0), wide } = lies;
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, lies.count ?? count, true);
  end.setUint16(10, lies.count ?? count, true);
  end.setUint32(12, lies.directorySize ?? size, true);
  end.setUint32(16, lies.directoryOffset ?? offset, true);
  end.setUint16(20, comment.length, true);
  const narrow = [new Uint8Array(end.buffer), comment];
  if (!wide) return narrow;
  const end64 = new DataView(new ArrayBuffer(76));
  end64.setUint32(0, 0x06064b50, true);
  end64.setBigUint64(4, BigInt(wide.recordSize ?? 44), true);
  end64.setBigUint64(24, BigInt(wide.count ?? count), true);
  end64.setBigUint64(32, BigInt(wide.count ?? count), true);
  end64.setBigUint64(40, BigInt(wide.size ?? size), true);
  end64.setBigUint64(48, BigInt(wide.offset ?? offset), true);
  end64.setUint32(56, 0x07064b50, true);
  end64.setBigUint64(64, BigInt(wide.locator ?? offset + size), true);
  end64.setUint32(72, 1, true);
  return [new Uint8Array(end64.buffer), ...narrow];
}

/** One array after the other. */
export function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Float32 values as a record's content. */
export const floats = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);

/** The records of a PyTorch file whose pickle is given; storage 0 holds 1, 2, 3, 4. */
export function torchRecords(pickle: Uint8Array, ...more: readonly ZipEntry[]): ZipEntry[] {
  return [
    { name: 'archive/data.pkl', data: pickle },
    { name: 'archive/data/0', data: floats(1, 2, 3, 4) },
    { name: 'archive/version', data: new TextEncoder().encode('3\n') },
    ...more,
  ];
}
