import { itemSize } from '../dtype.ts';
import { damaged, unsupported } from '../errors.ts';
import { COST, type Spot } from '../pickle/machine.ts';
import { type PickleValue, PyDict, PyGlobal, PyObject, PySet, PyTuple, typeName } from '../pickle/values.ts';
import { checkGeometry, MOST_AXES } from '../tensor.ts';
import { TorchStorage, TorchTensor } from './values.ts';

type Args = readonly PickleValue[];
type Maker = (spot: Spot, args: Args) => PickleValue;

/** The value of calling or instantiating a permitted name: tensors and plain Python values, else inert data. */
export function construct(spot: Spot, callee: PyGlobal, args: Args): PickleValue {
  const maker = MAKERS.get(callee.path);
  return maker ? maker(spot, args) : new PyObject(callee, args);
}

const MAKERS: ReadonlyMap<string, Maker> = new Map<string, Maker>([
  ['collections.OrderedDict', (spot, args) => dictOf(spot, args[0])],
  ['collections.defaultdict', (spot, args) => dictOf(spot, args[1])],
  ['builtins.dict', (spot, args) => dictOf(spot, args[0])],
  ['__builtin__.dict', (spot, args) => dictOf(spot, args[0])],
  ...['set', 'frozenset'].flatMap((name): [string, Maker][] => [
    [`builtins.${name}`, (spot, args) => new PySet(sequence(spot, args[0]) ?? [])],
    [`__builtin__.${name}`, (spot, args) => new PySet(sequence(spot, args[0]) ?? [])],
  ]),
  ['torch.Size', (spot, args) => new PyTuple(integers(spot, args[0]))],
  ['_codecs.encode', encode],
  ['copyreg._reconstructor', reconstruct],
  ['copy_reg._reconstructor', reconstruct],
  ['copyreg.__newobj__', newObject],
  ['copy_reg.__newobj__', newObject],
  ['torch._utils._rebuild_tensor', rebuildTensor],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_tensor_v3', rebuildTypedTensor],
  ['torch._utils._rebuild_parameter', rebuildParameter],
  ['torch._utils._rebuild_parameter_with_state', rebuildParameter],
  ['torch._tensor._rebuild_from_type_v2', rebuildFromType],
]);

/** `(storage, offset, size, stride, …)`; what follows concerns gradients. */
function rebuildTensor(spot: Spot, args: Args): TorchTensor {
  const [storage] = args;
  if (!(storage instanceof TorchStorage)) throw damaged(spot.where, 'has a tensor without a storage');
  if (storage.dtype === 'untyped') throw damaged(spot.where, 'has a tensor without an element type');
  return tensor(spot, storage, storage.dtype, args);
}

/** `(storage, offset, size, stride, requires_grad, hooks, dtype, …)`: the types that have no storage class. */
function rebuildTypedTensor(spot: Spot, args: Args): TorchTensor {
  const [storage, , , , , , type] = args;
  if (!(storage instanceof TorchStorage)) throw damaged(spot.where, 'has a tensor without a storage');
  if (!(type instanceof PyGlobal) || type.module !== 'torch' || itemSize(type.name) === undefined) {
    const known = type instanceof PyGlobal ? type.path : typeName(type ?? null);
    throw unsupported(spot.where, `has a tensor of type ${known}`, 'Save the weights as float32');
  }
  return tensor(spot, storage, type.name, args);
}

function tensor(spot: Spot, storage: TorchStorage, dtype: string, args: Args): TorchTensor {
  const [, offset, size, stride] = args;
  const unit = itemSize(dtype)!;
  const geometry = {
    shape: integers(spot, size),
    strides: integers(spot, stride),
    offset: integer(spot, offset),
  };
  checkGeometry(spot, geometry, Math.floor(storage.length / unit));
  if (storage.start % unit !== 0) throw damaged(spot.where, 'has a storage that begins inside an element');
  const start = storage.start / unit;
  return new TorchTensor(dtype, storage.bytes, { ...geometry, offset: geometry.offset + start });
}

function rebuildParameter(spot: Spot, args: Args): TorchTensor {
  const [data] = args;
  if (!(data instanceof TorchTensor)) throw damaged(spot.where, 'has a parameter without a tensor');
  return data;
}

/** `(function, type, args, state)`: a tensor with attributes of its own, which are of no use here. */
function rebuildFromType(spot: Spot, args: Args): PickleValue {
  const [callee, , inner] = args;
  const known = callee instanceof PyGlobal && callee.module === 'torch._utils' && inner instanceof PyTuple;
  if (!known) throw damaged(spot.where, 'has a tensor that is made in an unknown way');
  return construct(spot, callee, inner.items);
}

/** Bytes that old protocols spell as text: `encode(text, 'latin1')`. */
function encode(spot: Spot, args: Args): PickleValue {
  const [text, encoding] = args;
  if (typeof text !== 'string' || !/^latin[-_]?1$/.test(String(encoding))) {
    throw damaged(spot.where, 'has bytes in an unknown spelling');
  }
  spot.spend(text.length);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0xff) throw damaged(spot.where, 'has bytes that are none');
    bytes[i] = code;
  }
  return bytes;
}

/** `(class, base, value of the base)`, as protocols 0 and 1 spell instances. */
function reconstruct(spot: Spot, args: Args): PickleValue {
  const [type, , base] = args;
  if (!(type instanceof PyGlobal))
    throw damaged(spot.where, 'makes an instance of something that is no class');
  const made = construct(spot, type, []);
  if (made instanceof PyDict && base instanceof PyDict) return base;
  if (made instanceof PyObject) {
    if (base instanceof PyDict) made.map = base.map;
    if (Array.isArray(base)) made.list = base;
  }
  return made;
}

function newObject(spot: Spot, args: Args): PickleValue {
  const [type] = args;
  if (!(type instanceof PyGlobal) || type.name.startsWith('__newobj')) {
    throw damaged(spot.where, 'makes an instance of something that is no class');
  }
  spot.spend(args.length * COST.item);
  const rest = args.slice(1);
  return construct(spot, type, rest);
}

/** A dictionary from nothing, another dictionary, or Python 2's list of pairs. */
function dictOf(spot: Spot, from: PickleValue | undefined): PyDict {
  const dict = new PyDict();
  if (from === undefined) return dict;
  if (from instanceof PyDict) {
    spot.spend(from.map.size * COST.entry);
    for (const [key, value] of from.map) dict.map.set(key, value);
    return dict;
  }
  const pairs = sequence(spot, from) ?? [null];
  spot.spend(pairs.length * COST.entry);
  for (const pair of pairs) {
    const [key, value, ...more] = sequence(spot, pair) ?? [];
    if (key === undefined || value === undefined || more.length > 0) {
      throw damaged(spot.where, `makes a dictionary from a ${typeName(from)}`);
    }
    dict.map.set(key, value);
  }
  return dict;
}

/** A copy of a sequence's items; undefined when it is none. */
function sequence(spot: Spot, value: PickleValue | undefined): PickleValue[] | undefined {
  const items = Array.isArray(value)
    ? value
    : value instanceof PyTuple || value instanceof PySet
      ? value.items
      : undefined;
  if (items) spot.spend(items.length * COST.item);
  return items?.slice();
}

function integers(spot: Spot, value: PickleValue | undefined): number[] {
  const items = Array.isArray(value) ? value : value instanceof PyTuple ? value.items : undefined;
  if (!items) throw damaged(spot.where, `has a shape that is a ${typeName(value ?? null)}`);
  // Counted before it is copied: one long tuple can be named as the shape of many tensors.
  if (items.length > MOST_AXES) throw damaged(spot.where, `has a tensor of ${items.length} axes`);
  return items.map((item) => integer(spot, item));
}

function integer(spot: Spot, value: PickleValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  const what = typeName(value ?? null);
  throw damaged(spot.where, `has a ${what} where an extent, stride or offset must be`);
}
