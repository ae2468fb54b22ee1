import { AsMlpError } from '@as-mlp/base';
import { elementCount } from '../tensor.ts';
import { LENGTH_SIZE } from './read.ts';

/** A tensor to be written: official name and shape, row-major values. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** Tensors begin at multiples of this, so that readers can map them without a copy. */
const ALIGNMENT = 8;

/**
 * A `.safetensors` file of float32 and int32 tensors, as the reference implementation lays it out: metadata first,
 * tensors sorted by name, the header padded with spaces so that the data begin at a multiple of 8.
 *
 * @param metadata strings for `__metadata__`.
 * @throws AsMlpError `input` for a name that comes twice or is reserved, or values that do not fill a shape.
 */
export function encodeSafetensors(
  tensors: Iterable<NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort((a, b) => compareText(a.name, b.name));
  const members: string[] = [];
  if (Object.keys(metadata).length > 0) members.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let size = 0;
  let previous: string | undefined;
  for (const { name, shape, data } of sorted) {
    checkTensor(name, shape, data, previous);
    const dtype = data instanceof Int32Array ? 'I32' : 'F32';
    const info = { dtype, shape, data_offsets: [size, size + data.byteLength] };
    members.push(`${JSON.stringify(name)}:${JSON.stringify(info)}`);
    size += data.byteLength;
    previous = name;
  }
  const header = new TextEncoder().encode(`{${members.join(',')}}`);
  const headerSize = Math.ceil(header.length / ALIGNMENT) * ALIGNMENT;

  const out = new Uint8Array(LENGTH_SIZE + headerSize + size);
  new DataView(out.buffer).setBigUint64(0, BigInt(headerSize), true);
  out.set(header, LENGTH_SIZE);
  out.fill(0x20, LENGTH_SIZE + header.length, LENGTH_SIZE + headerSize);
  let at = LENGTH_SIZE + headerSize;
  for (const { data } of sorted) {
    out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return out;
}

function checkTensor(
  name: string,
  shape: readonly number[],
  data: NamedTensor['data'],
  previous: string | undefined,
): void {
  const fail = (what: string) =>
    new AsMlpError('input', {
      where: name,
      what,
      fix: 'Give every tensor its own name and as many values as its shape',
    });
  if (name === previous) throw fail('two tensors have this name');
  if (name === '__metadata__') throw fail('this name is reserved for the metadata');
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0))
    throw fail(`the shape is [${shape}]`);
  if (elementCount(shape) !== data.length) throw fail(`shape [${shape}] was given ${data.length} values`);
}

/** Order of the UTF-8 bytes, which is the order of code points; `<` compares UTF-16 units instead. */
function compareText(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
