import { decodeLatin1 } from './pickle/text.ts';

/** Writes pickles by hand, also such as no pickler would. Text is one byte a character. */
export function pickle(...parts: readonly string[]): Uint8Array {
  const characters = parts.join('');
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** The bytes of numbers in little-endian order, as text for {@link pickle}. */
function little(value: number | bigint, size: number): string {
  let text = '';
  let rest = BigInt.asUintN(size * 8, BigInt(value));
  for (let i = 0; i < size; i++) {
    text += String.fromCharCode(Number(rest & 0xffn));
    rest >>= 8n;
  }
  return text;
}

export const PROTO = '\x80\x02';
export const u32 = (value: number): string => little(value, 4);
export const u64 = (value: number | bigint): string => little(value, 8);

/** BINUNICODE. */
export function text(value: string): string {
  const bytes = new TextEncoder().encode(value);
  return `X${u32(bytes.length)}${decodeLatin1(bytes)}`;
}

/** BININT, or LONG1 where it needs more. */
export function int(value: number | bigint): string {
  return value >= -(2 ** 31) && value < 2 ** 31 ? `J${little(value, 4)}` : `\x8a\x09${little(value, 9)}`;
}

/** GLOBAL. */
export const name = (module: string, qualifiedName: string): string => `c${module}\n${qualifiedName}\n`;
export const tuple = (...items: readonly string[]): string => `(${items.join('')}t`;
/** REDUCE. */
export const call = (callee: string, ...args: readonly string[]): string => `${callee}${tuple(...args)}R`;

/** A dictionary of key, value, key, value, … */
export const dict = (...items: readonly string[]): string => `}(${items.join('')}u`;

/** How {@link tensor} may deviate from an honest tensor of one axis. */
export interface TensorParts {
  readonly key?: string;
  readonly elements?: number | bigint;
  readonly offset?: number | bigint;
  readonly size?: readonly (number | bigint)[];
  readonly stride?: readonly (number | bigint)[];
  readonly storage?: string;
  readonly view?: string;
}

/** Persistent id of a storage. */
export function storage({
  key = '0',
  elements = 4,
  storage: type = 'FloatStorage',
  view = '',
}: TensorParts): string {
  return `${tuple(text('storage'), name('torch', type), text(key), text('cpu'), int(elements), view)}Q`;
}

/** A tensor as PyTorch pickles it; without parts four float32 of storage 0. */
export function tensor(parts: TensorParts = {}): string {
  const { offset = 0, size = [4], stride = [1] } = parts;
  const hooks = call(name('collections', 'OrderedDict'));
  const extents = [tuple(...size.map(int)), tuple(...stride.map(int))];
  return call(
    name('torch._utils', '_rebuild_tensor_v2'),
    storage(parts),
    int(offset),
    ...extents,
    '\x89',
    hooks,
  );
}

/** `{'model': {'w': tensor}}` with more items beside it. */
export function checkpoint(weights: string, ...more: readonly string[]): Uint8Array {
  return pickle(PROTO, dict(text('model'), dict(text('w'), weights), ...more), '.');
}
