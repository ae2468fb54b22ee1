import { damaged } from '../errors.ts';
import { type ByteSource, readBytes } from '../source.ts';

/** Where the central directory of a zip file lies. */
export interface DirectoryPlace {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

const END_SIZE = 22;
const END_SIGNATURE = 0x06054b50;
const LOCATOR_SIZE = 20;
const LOCATOR_SIGNATURE = 0x07064b50;
const END64_SIZE = 56;
const END64_SIGNATURE = 0x06064b50;

/**
 * Reads the end records, 32- and 64-bit. PyTorch writes no comment, so the end record must be the last
 * 22 bytes: there is no searching, and no second candidate inside a comment.
 */
export async function findDirectory(source: ByteSource): Promise<DirectoryPlace> {
  const where = source.name;
  const tailSize = Math.min(source.size, END_SIZE + LOCATOR_SIZE + END64_SIZE);
  const tail = await readBytes(source, source.size - tailSize, tailSize);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  const end = tailSize - END_SIZE;
  if (end < 0 || view.getUint32(end, true) !== END_SIGNATURE || view.getUint16(end + 20, true) !== 0) {
    throw damaged(where, 'is a zip file without its end: the download or the copy stopped early');
  }
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 6, true) !== 0) {
    throw damaged(where, 'is one part of a zip file of several parts');
  }
  const narrow = {
    countHere: view.getUint16(end + 8, true),
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    offset: view.getUint32(end + 16, true),
  };

  const locator = end - LOCATOR_SIZE;
  const hasWide = locator >= 0 && view.getUint32(locator, true) === LOCATOR_SIGNATURE;
  const wide = hasWide ? readEnd64(where, view, locator, source.size - tailSize) : undefined;
  const recordsEnd = source.size - (wide ? END_SIZE + LOCATOR_SIZE + END64_SIZE : END_SIZE);
  const place = wide ?? narrow;
  const agree = (short: number, long: number, limit: number) => short === long || (wide && short === limit);
  if (
    !agree(narrow.count, place.count, 0xffff) ||
    !agree(narrow.countHere, place.count, 0xffff) ||
    !agree(narrow.size, place.size, 0xffffffff) ||
    !agree(narrow.offset, place.offset, 0xffffffff)
  ) {
    throw damaged(where, 'has two zip end records that disagree');
  }
  if (place.offset + place.size !== recordsEnd) {
    throw damaged(
      where,
      `names ${place.offset} as the place of its zip directory, which is not where it ends`,
    );
  }
  return { offset: place.offset, size: place.size, count: place.count };
}

/** The 64-bit end record; it must stand right before its locator. `base` is the tail's place in the file. */
function readEnd64(where: string, view: DataView, locator: number, base: number): DirectoryPlace {
  const at = locator - END64_SIZE;
  const consistent =
    at >= 0 &&
    view.getUint32(locator + 4, true) === 0 &&
    Number(view.getBigUint64(locator + 8, true)) === base + at &&
    view.getUint32(locator + 16, true) === 1 &&
    view.getUint32(at, true) === END64_SIGNATURE &&
    Number(view.getBigUint64(at + 4, true)) === END64_SIZE - 12 &&
    view.getUint32(at + 16, true) === 0 &&
    view.getUint32(at + 20, true) === 0 &&
    view.getBigUint64(at + 24, true) === view.getBigUint64(at + 32, true);
  if (!consistent) throw damaged(where, 'has a broken 64-bit zip end record');
  return {
    count: Number(view.getBigUint64(at + 32, true)),
    size: Number(view.getBigUint64(at + 40, true)),
    offset: Number(view.getBigUint64(at + 48, true)),
  };
}
