/** Thrown when a pickle goes on beyond the bytes at hand; the caller may have more. */
export class OutOfBytes extends Error {}

const NEWLINE = 10;

/** Reads a pickle's bytes from front to back. No read allocates before it knows that the bytes are there. */
export class Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Moves on by `length` bytes and returns where they begin. */
  skip(length: number): number {
    const start = this.at;
    if (!(length <= this.bytes.length - start)) throw new OutOfBytes();
    this.at = start + length;
    return start;
  }

  take(length: number): Uint8Array {
    const start = this.skip(length);
    return this.bytes.subarray(start, this.at);
  }

  u8(): number {
    return this.bytes[this.skip(1)]!;
  }

  u16(): number {
    return this.view.getUint16(this.skip(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true);
  }

  i32(): number {
    return this.view.getInt32(this.skip(4), true);
  }

  /** Rounded above 2^53, where no length can be right anyway. */
  u64(): number {
    return Number(this.view.getBigUint64(this.skip(8), true));
  }

  /** Big-endian, as pickles have it. */
  f64(): number {
    return this.view.getFloat64(this.skip(8), false);
  }

  /** The rest of the line, without its newline. */
  line(): Uint8Array {
    const end = this.bytes.indexOf(NEWLINE, this.at);
    if (end < 0) throw new OutOfBytes();
    const line = this.bytes.subarray(this.at, end);
    this.at = end + 1;
    return line;
  }
}
