import { AsMlpError } from '@as-mlp/base';
import type * as tf from '@tensorflow/tfjs-core';
import type { ValueDtype } from '../graph/program.ts';
import type { OnnxDtype, OnnxTensor } from './model-proto.ts';

/** The element type that stands for the type of a value. */
export function onnxDtype(dtype: ValueDtype): OnnxDtype {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new AsMlpError('usage', {
    what: `a tensor of type ${dtype} cannot be part of an ONNX model`,
    fix: 'Use float32, int32 or bool',
  });
}

/** A tensor over the bytes of `data`, which are not copied. */
export function tensorOf(dtype: ValueDtype, shape: readonly number[], data: tf.TypedArray): OnnxTensor {
  return { dtype: onnxDtype(dtype), shape, bytes: bytesOf(data) };
}

/** A small tensor by its elements. */
export function tensorFrom(
  dtype: OnnxDtype,
  shape: readonly number[],
  elements: readonly number[],
): OnnxTensor {
  return { dtype, shape, bytes: bytesOf(arrayOf(dtype, elements)) };
}

function arrayOf(dtype: OnnxDtype, elements: readonly number[]): ArrayBufferView {
  if (dtype === 'float32') return new Float32Array(elements);
  if (dtype === 'int32') return new Int32Array(elements);
  return dtype === 'bool' ? new Uint8Array(elements) : new BigInt64Array(elements.map(toInt64));
}

const MAX_INT64 = 2n ** 63n - 1n;

/** Infinities stand for the ends of the range. */
function toInt64(value: number): bigint {
  if (value === Number.POSITIVE_INFINITY) return MAX_INT64;
  return value === Number.NEGATIVE_INFINITY ? -MAX_INT64 : BigInt(value);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** The same elements in another shape; a size of -1 follows from the others. */
export function reshaped(tensor: OnnxTensor, shape: readonly number[]): OnnxTensor {
  const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  const rest = product(tensor.shape) / product(shape.filter((size) => size !== -1));
  return { ...tensor, shape: shape.map((size) => (size === -1 ? rest : size)) };
}

/** The axes in another order. */
export function transposed(tensor: OnnxTensor, perm: readonly number[]): OnnxTensor {
  const shape = perm.map((axis) => tensor.shape[axis]!);
  const count = tensor.shape.reduce((a, b) => a * b, 1);
  const width = count === 0 ? 1 : tensor.bytes.length / count;
  const strides = tensor.shape.map((_, axis) => tensor.shape.slice(axis + 1).reduce((a, b) => a * b, width));
  const bytes = new Uint8Array(tensor.bytes.length);
  let to = 0;
  const copy = (axis: number, from: number): void => {
    if (axis === perm.length) {
      for (let i = 0; i < width; i++) bytes[to++] = tensor.bytes[from + i]!;
      return;
    }
    for (let i = 0; i < shape[axis]!; i++) copy(axis + 1, from + i * strides[perm[axis]!]!);
  };
  copy(0, 0);
  return { ...tensor, shape, bytes };
}
