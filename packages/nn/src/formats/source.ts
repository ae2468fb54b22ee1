import { damaged } from './errors.ts';

/** Random access to the bytes of one file, wherever it lies: a disk, memory, a browser's `Blob`. */
export interface ByteSource {
  /** Name for messages, usually the path. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * `length` bytes from `offset`, in an array that the source neither keeps nor changes afterwards.
   * Fewer bytes than asked for is an error, never a short answer.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A {@link ByteSource} over bytes in memory. Reads are copies, so `bytes` is never handed out. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read: async (offset, length) => {
      checkRange(name, bytes.byteLength, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
  };
}

/**
 * Positional read that holds the source to its contract: the range is checked before anything is
 * allocated, and a short answer is an error.
 */
export async function readBytes(source: ByteSource, offset: number, length: number): Promise<Uint8Array> {
  checkRange(source.name, source.size, offset, length);
  if (length === 0) return new Uint8Array(0);
  const bytes = await source.read(offset, length);
  if (bytes.byteLength !== length) {
    throw damaged(source.name, `gave ${bytes.byteLength} of the ${length} bytes at ${offset}`);
  }
  return bytes;
}

function checkRange(name: string, size: number, offset: number, length: number): void {
  const valid = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!valid || offset + length > size) {
    throw damaged(name, `ends after ${size} bytes, but ${length} bytes at ${offset} are needed`);
  }
}
