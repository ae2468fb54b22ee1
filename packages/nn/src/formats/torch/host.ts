import { itemSize } from '../dtype.ts';
import { damaged, quote, refusedCode, unsupported } from '../errors.ts';
import type { PickleHost, Spot } from '../pickle/machine.ts';
import { type PickleValue, PyGlobal, PyTuple, typeName } from '../pickle/values.ts';
import type { StorageBytes } from '../tensor.ts';
import { construct } from './construct.ts';
import { checkName, isCallable } from './policy.ts';
import { TorchStorage } from './values.ts';

/** Where a container keeps the bytes of storages. */
export interface StorageShelf {
  /**
   * The bytes of storage `key`, which the pickle says are `elements` of `unit` bytes; throws where the
   * container knows better, naming the `spot`. Every mention of a key gives the same object.
   */
  storage(spot: Spot, key: string, elements: number, unit: number): StorageBytes;
}

/** Storage classes and their element types. */
const STORAGE_TYPES: ReadonlyMap<string, string> = new Map([
  ['FloatStorage', 'float32'],
  ['DoubleStorage', 'float64'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['BoolStorage', 'bool'],
  ['ComplexFloatStorage', 'complex64'],
  ['ComplexDoubleStorage', 'complex128'],
  ['QInt32Storage', 'qint32'],
  ['QInt8Storage', 'qint8'],
  ['QUInt8Storage', 'quint8'],
  ['UntypedStorage', 'untyped'],
]);
const STORAGE_MODULES = new Set(['torch', 'torch.cuda', 'torch.storage']);

/** A checkpoint names some ten classes. */
const MOST_NAMES = 10_000;

/** What names, calls and persistent ids mean in a PyTorch pickle. `where` names file and record. */
export function torchHost(where: string, shelf: StorageShelf): PickleHost {
  const names = new Map<string, PyGlobal>();
  const types = new Map<StorageBytes, string>();
  return {
    where,
    findGlobal(spot, module, name) {
      const key = `${module} ${name}`;
      const known = names.get(key);
      if (known) return known;
      checkName(spot, module, name);
      if (names.size >= MOST_NAMES) throw damaged(spot.where, `names more than ${MOST_NAMES} classes`);
      const global = new PyGlobal(module, name);
      names.set(key, global);
      return global;
    },
    make(spot, callee, args, how) {
      if (how === 'call' && !isCallable(callee.module, callee.name))
        throw refusedCode(spot.where, callee.path);
      return construct(spot, callee, args);
    },
    persistentLoad(spot, id) {
      const value = loadPersistent(spot, shelf, id);
      if (value instanceof TorchStorage) {
        const known = types.get(value.bytes);
        if (known !== undefined && known !== value.dtype) {
          throw damaged(spot.where, `has one storage as ${known} and as ${value.dtype}`);
        }
        types.set(value.bytes, value.dtype);
      }
      return value;
    },
  };
}

/** `('storage', class, key, device, elements[, view])`; old files also have `('module', class, file, source)`. */
function loadPersistent(spot: Spot, shelf: StorageShelf, id: PickleValue): PickleValue {
  const items = id instanceof PyTuple ? id.items : [];
  const [kind, type, key, device, elements, view] = items;
  if (kind === 'module' && type instanceof PyGlobal) return type;
  const proper =
    kind === 'storage' &&
    (items.length === 5 || items.length === 6) &&
    type instanceof PyGlobal &&
    typeof key === 'string' &&
    typeof device === 'string';
  if (!proper) throw damaged(spot.where, `refers to a ${typeName(id)} where a storage must be`);
  const dtype = STORAGE_MODULES.has(type.module) ? STORAGE_TYPES.get(type.name) : undefined;
  if (!dtype) {
    throw unsupported(spot.where, `has a storage of type ${quote(type.path)}`, 'Save the weights as float32');
  }
  const size = dtype === 'untyped' ? 1 : itemSize(dtype)!;
  const length = count(spot, elements) * size;
  if (!Number.isSafeInteger(length)) throw damaged(spot.where, `has a storage of ${length} bytes`);
  const bytes = shelf.storage(spot, key, length / size, size);
  if (view === undefined || view === null) return new TorchStorage(dtype, bytes, 0, length);

  const parts = view instanceof PyTuple ? view.items : [];
  const start = count(spot, parts[1]) * size;
  const viewLength = count(spot, parts[2]) * size;
  if (parts.length !== 3 || !(start + viewLength <= length)) {
    throw damaged(spot.where, `has a view that reaches out of storage ${quote(key)}`);
  }
  return new TorchStorage(dtype, bytes, start, viewLength);
}

function count(spot: Spot, value: PickleValue | undefined): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw damaged(spot.where, `has a storage of ${typeof value === 'number' ? value : 'unknown'} elements`);
}
