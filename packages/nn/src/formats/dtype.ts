/** Bytes an element of every type that can be listed, by PyTorch's name. */
const ITEM_SIZES: Readonly<Record<string, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float8_e5m2: 1,
  float8_e4m3fn: 1,
  float8_e5m2fnuz: 1,
  float8_e4m3fnuz: 1,
  float8_e8m0fnu: 1,
  complex128: 16,
  complex64: 8,
  complex32: 4,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
  qint32: 4,
  qint8: 1,
  quint8: 1,
};

/** Bytes an element, or undefined for a type that is not known. */
export function itemSize(dtype: string): number | undefined {
  return Object.hasOwn(ITEM_SIZES, dtype) ? ITEM_SIZES[dtype] : undefined;
}

const FLOATS: ReadonlySet<string> = new Set(['float32', 'float16', 'bfloat16', 'float64']);

/** Whether values of this type can be read as float32: floating-point ones, and single int64, which batch norms count in. */
export function isReadable(dtype: string, count: number): boolean {
  return FLOATS.has(dtype) || (dtype === 'int64' && count === 1);
}

/**
 * Elements as float32. `bytes` must be the caller's own: big-endian elements are swapped in place, and
 * float32 elements are returned without a copy where the array owns its whole buffer.
 * Typed arrays take the byte order of the machine, which is little-endian wherever JavaScript runs today.
 */
export function toFloat32(bytes: Uint8Array, dtype: string, bigEndian: boolean): Float32Array {
  if (bigEndian) swapBytes(bytes, itemSize(dtype)!);
  switch (dtype) {
    case 'float32': {
      const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
      const own = whole ? bytes : new Uint8Array(bytes);
      return new Float32Array(own.buffer as ArrayBuffer, 0, bytes.byteLength / 4);
    }
    case 'float64':
      return new Float32Array(new Float64Array(aligned(bytes, 8), offsetOf(bytes, 8), bytes.byteLength / 8));
    case 'int64': {
      const counts = new BigInt64Array(aligned(bytes, 8), offsetOf(bytes, 8), bytes.byteLength / 8);
      return Float32Array.from(counts, Number);
    }
    case 'float16':
      return fromHalf(new Uint16Array(aligned(bytes, 2), offsetOf(bytes, 2), bytes.byteLength / 2));
    case 'bfloat16':
      return fromBfloat(new Uint16Array(aligned(bytes, 2), offsetOf(bytes, 2), bytes.byteLength / 2));
    default:
      throw new TypeError(`${dtype} cannot be read as float32`);
  }
}

function aligned(bytes: Uint8Array, size: number): ArrayBuffer {
  const buffer = bytes.byteOffset % size === 0 ? bytes.buffer : new Uint8Array(bytes).buffer;
  return buffer as ArrayBuffer;
}

function offsetOf(bytes: Uint8Array, size: number): number {
  return bytes.byteOffset % size === 0 ? bytes.byteOffset : 0;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) {
    for (let low = start, high = start + size - 1; low < high; low++, high--) {
      const byte = bytes[low]!;
      bytes[low] = bytes[high]!;
      bytes[high] = byte;
    }
  }
}

let halfTable: Float32Array | undefined;

/** All 65,536 half-precision values; a look-up is faster than the bit work for each element. */
function halfValues(): Float32Array {
  if (halfTable) return halfTable;
  const table = new Float32Array(0x10000);
  for (let bits = 0; bits < table.length; bits++) {
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    const magnitude =
      exponent === 0
        ? fraction * 2 ** -24
        : exponent < 31
          ? (1 + fraction / 1024) * 2 ** (exponent - 15)
          : fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN;
    table[bits] = bits & 0x8000 ? -magnitude : magnitude;
  }
  halfTable = table;
  return table;
}

function fromHalf(halves: Uint16Array): Float32Array {
  const table = halfValues();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = table[halves[i]!]!;
  return out;
}

/** A bfloat16 is the upper half of a float32. */
function fromBfloat(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}
