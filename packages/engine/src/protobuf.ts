/**
 * Writes a protocol buffer. Bytes and nested messages are kept by reference until {@link finish}, which
 * copies each once: weights can be large.
 */
export class ProtobufWriter {
  readonly #parts: (readonly number[] | Uint8Array)[] = [];
  #size = 0;

  /** An integer, an enum or a bool. Negative ones take ten bytes, as the format has it. */
  integer(field: number, value: number | bigint): this {
    this.#varint(field << 3);
    this.#varint(value);
    return this;
  }

  /** A 32-bit floating-point number. */
  float(field: number, value: number): this {
    this.#varint((field << 3) | 5);
    this.#append(new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  /** A 64-bit floating-point number. */
  double(field: number, value: number): this {
    this.#varint((field << 3) | 1);
    this.#append(new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  /** A string, or bytes, which must not change before {@link finish}. */
  bytes(field: number, value: string | Uint8Array): this {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
    this.#varint((field << 3) | 2);
    this.#varint(bytes.length);
    this.#append(bytes);
    return this;
  }

  /** Integers in the packed form. */
  integers(field: number, values: readonly (number | bigint)[]): this {
    return this.#nested(field, (inner) => {
      for (const value of values) inner.#varint(value);
    });
  }

  /** A message inside this one. */
  message(field: number, write: (inner: ProtobufWriter) => void): this {
    return this.#nested(field, write);
  }

  /** Bytes that {@link finish} will give. */
  get size(): number {
    return this.#size;
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.#size);
    let offset = 0;
    for (const part of this.#parts) {
      result.set(part, offset);
      offset += part.length;
    }
    return result;
  }

  #nested(field: number, write: (inner: ProtobufWriter) => void): this {
    const inner = new ProtobufWriter();
    write(inner);
    this.#varint((field << 3) | 2);
    this.#varint(inner.#size);
    for (const part of inner.#parts) this.#append(part);
    return this;
  }

  #varint(value: number | bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.#append(bytes);
  }

  #append(part: readonly number[] | Uint8Array): void {
    this.#parts.push(part);
    this.#size += part.length;
  }
}
