import { AsMlpError } from '@as-mlp/base';
import { isReadable, itemSize, toFloat32 } from './dtype.ts';
import { damaged } from './errors.ts';
import type { WeightEntry } from './weight-file.ts';

/** The bytes that one or more tensors lie in. */
export interface StorageBytes {
  readonly size: number;
  /** Whether a part can be read alone; otherwise every read costs the whole. */
  readonly seekable: boolean;
  /** A checked range of the storage, in an array that is the caller's. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Where a tensor's elements lie: element (i, j, …) is at `offset + i·strides[0] + j·strides[1] + …`. */
export interface Geometry {
  readonly shape: readonly number[];
  /** In elements. */
  readonly strides: readonly number[];
  /** In elements. */
  readonly offset: number;
}

/** A tensor whose geometry was checked against its storage. */
export interface TensorSpec extends Geometry {
  /** File and key, for messages. */
  readonly where: string;
  readonly dtype: string;
  readonly storage: StorageBytes;
  readonly bigEndian: boolean;
}

/** PyTorch's own limit. */
export const MOST_AXES = 64;

/**
 * Checks that every element of a tensor lies inside its storage of `capacity` elements.
 * All arithmetic stays within exact integers; nothing is allocated.
 */
export function checkGeometry(spot: { readonly where: string }, geometry: Geometry, capacity: number): void {
  const { shape, strides, offset } = geometry;
  const fail = (what: string) => damaged(spot.where, `a tensor of shape [${shape}] ${what}`);
  if (shape.length !== strides.length) throw fail(`has strides [${strides}] of another length`);
  for (const value of [...shape, ...strides, offset]) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw fail(`has a negative or impossible extent, stride [${strides}] or offset ${offset}`);
    }
  }
  const count = elementCount(shape);
  if (!Number.isSafeInteger(count)) throw fail('has more elements than can be counted');
  if (count === 0) return;
  const end = spanEnd(geometry);
  if (!(end <= capacity)) throw fail(`reaches element ${end} of a storage of ${capacity}`);
}

/** Product of the extents; beyond exact integers when it overflows. */
export function elementCount(shape: readonly number[]): number {
  // A zero extent makes the tensor empty, however large the others are.
  if (shape.includes(0)) return 0;
  return shape.reduce((product, extent) => product * extent, 1);
}

/** One past the last element that a non-empty tensor touches. */
function spanEnd({ shape, strides, offset }: Geometry): number {
  return shape.reduce((last, extent, axis) => last + (extent - 1) * strides[axis]!, offset) + 1;
}

/** Strides of a row-major tensor. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= Math.max(shape[axis]!, 1);
  }
  return strides;
}

/**
 * Bytes that reading a tensor takes: what is read from the file or what the values take as float32,
 * whichever is more. A stride of zero makes the second arbitrarily large.
 */
export function readingCost(spec: TensorSpec): number {
  const count = elementCount(spec.shape);
  if (count === 0 || !isReadable(spec.dtype, count)) return 0;
  const span = spanEnd(spec) - spec.offset;
  return Math.max(count * 4, spec.storage.seekable ? span * itemSize(spec.dtype)! : spec.storage.size);
}

/** The entry of a checked tensor. */
export function tensorEntry(spec: TensorSpec): WeightEntry {
  return { dtype: spec.dtype, shape: spec.shape, read: () => readTensor(spec) };
}

async function readTensor(spec: TensorSpec): Promise<Float32Array> {
  const { where, dtype, shape, strides, offset, storage, bigEndian } = spec;
  const count = elementCount(shape);
  if (!isReadable(dtype, count)) throw notReadable(where, dtype);
  if (count === 0) return new Float32Array(0);
  const size = itemSize(dtype)!;
  const bytes = await storage.read(offset * size, (spanEnd(spec) - offset) * size);
  const values = toFloat32(bytes, dtype, bigEndian);
  return isContiguous(shape, strides) ? values : gather(values, shape, strides, count);
}

/** The error of an entry that holds no floating-point values. */
export function notReadable(where: string, dtype: string): AsMlpError {
  return new AsMlpError('weights', {
    where,
    what: `is ${dtype}, not floating point`,
    fix: 'Save the weights as float32, float16, bfloat16 or float64',
  });
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  const expected = contiguousStrides(shape);
  // The stride of an axis of one element is never used and may be anything.
  return shape.every((extent, axis) => extent === 1 || strides[axis] === expected[axis]);
}

/** Row-major copy of a strided view that begins at the first element of `values`. */
function gather(
  values: Float32Array,
  shape: readonly number[],
  strides: readonly number[],
  count: number,
): Float32Array {
  const out = new Float32Array(count);
  const axes = shape.length;
  const inner = shape[axes - 1]!;
  const step = strides[axes - 1]!;
  const index = new Array<number>(axes).fill(0);
  let source = 0;
  for (let at = 0; at < count; at += inner) {
    for (let i = 0; i < inner; i++) out[at + i] = values[source + i * step]!;
    for (let axis = axes - 2; axis >= 0; axis--) {
      source += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      source -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
