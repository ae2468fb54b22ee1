import { itemSize } from '../dtype.ts';
import { damaged, quote, unsupported } from '../errors.ts';
import { type ByteSource, readBytes } from '../source.ts';
import { contiguousStrides, elementCount, type StorageBytes, tensorEntry } from '../tensor.ts';
import type { WeightEntry, WeightFile } from '../weight-file.ts';
import { type HeaderTensor, parseHeader } from './header.ts';

/** Bytes before the header: its length. */
export const LENGTH_SIZE = 8;
/** The reference implementation's limit. */
const LARGEST_HEADER = 100_000_000;

/** PyTorch's names of the format's types. */
const DTYPES: ReadonlyMap<string, string> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['F8_E5M2', 'float8_e5m2'],
  ['F8_E4M3', 'float8_e4m3fn'],
  ['F8_E8M0', 'float8_e8m0fnu'],
  ['C64', 'complex64'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U64', 'uint64'],
  ['U32', 'uint32'],
  ['U16', 'uint16'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

/**
 * Opens a `.safetensors` file by the rules of the reference implementation: the header lies within the
 * file, every shape fills its span exactly, and the spans cover the data without holes or overlaps.
 */
export async function openSafetensors(source: ByteSource): Promise<WeightFile> {
  const where = source.name;
  if (source.size < LENGTH_SIZE) throw damaged(where, `has only ${source.size} bytes`);
  const length = await readBytes(source, 0, LENGTH_SIZE);
  const headerSize = Number(
    new DataView(length.buffer, length.byteOffset, LENGTH_SIZE).getBigUint64(0, true),
  );
  if (headerSize > LARGEST_HEADER || LENGTH_SIZE + headerSize > source.size) {
    throw damaged(where, `names a safetensors header of ${headerSize} bytes, the file has ${source.size}`);
  }
  const header = parseHeader(where, await readBytes(source, LENGTH_SIZE, headerSize));
  const dataStart = LENGTH_SIZE + headerSize;
  checkCover(where, header.tensors, source.size - dataStart);

  const entries = new Map<string, WeightEntry>();
  for (const [name, tensor] of header.tensors) {
    const { shape } = tensor;
    const key = `${where}, ${name}`;
    const dtype = checkTensor(key, tensor);
    const storage = spanBytes(source, dataStart + tensor.span[0], tensor.span[1] - tensor.span[0]);
    const strides = contiguousStrides(shape);
    entries.set(
      name,
      tensorEntry({ where: key, dtype, shape, strides, offset: 0, storage, bigEndian: false }),
    );
  }
  const metadata = Object.create(null) as Record<string, string>;
  for (const [key, value] of header.metadata) if (key !== '__proto__') metadata[key] = value;
  return { format: 'safetensors', entries, metadata };
}

/** The type's PyTorch name, after holding the shape against the span. */
function checkTensor(where: string, tensor: HeaderTensor): string {
  const { dtype, shape, span } = tensor;
  const name = DTYPES.get(dtype);
  if (!name) throw unsupported(where, `has the unknown type ${quote(dtype)}`, 'Save the weights as F32');
  const needed = elementCount(shape) * itemSize(name)!;
  // Every extent must count, also beside a zero.
  const exact = shape.reduce((product, extent) => product * Math.max(extent, 1), itemSize(name)!);
  if (!Number.isSafeInteger(exact)) throw damaged(where, `a tensor of shape [${shape}] cannot be counted`);
  if (needed !== span[1] - span[0]) {
    throw damaged(
      where,
      `shape [${shape}] of ${dtype} needs ${needed} bytes, the file gives ${span[1] - span[0]}`,
    );
  }
  return name;
}

/** Spans in order must follow each other from the first data byte to the last. */
function checkCover(where: string, tensors: ReadonlyMap<string, HeaderTensor>, size: number): void {
  const spans = [...tensors].sort(([, a], [, b]) => a.span[0] - b.span[0] || a.span[1] - b.span[1]);
  let at = 0;
  for (const [name, { span }] of spans) {
    const [start, end] = span;
    if (end < start || end > size) {
      throw damaged(`${where}, ${name}`, `lies at [${start}, ${end}] in ${size} bytes of data`);
    }
    if (start !== at) {
      const what =
        start < at ? 'overlaps the tensor before it' : `leaves a hole of ${start - at} bytes before it`;
      throw damaged(`${where}, ${name}`, what);
    }
    at = end;
  }
  if (at !== size) throw damaged(where, `has ${size - at} bytes after its last tensor`);
}

function spanBytes(source: ByteSource, start: number, size: number): StorageBytes {
  return {
    size,
    seekable: true,
    read: (offset, length) => readBytes(source, start + offset, length),
  };
}
