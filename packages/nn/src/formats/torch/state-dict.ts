import type { AsMlpError } from '@as-mlp/base';
import { quote, unsupported } from '../errors.ts';
import { type PickleValue, PyDict, PyObject, PyTuple, typeName } from '../pickle/values.ts';
import { notReadable, readingCost, type TensorSpec, tensorEntry } from '../tensor.ts';
import type { WeightEntry, WeightFile } from '../weight-file.ts';
import { plainMetadata } from './metadata.ts';
import { TorchTensor } from './values.ts';

/** What a PyTorch container holds, before it is known where in it the weights are. */
export interface TorchFile {
  readonly root: PickleValue;
  readonly bigEndian: boolean;
}

/** Keys under which trainers put the weights, in the official loader's order. */
const WEIGHT_KEYS = ['state_dict', 'model'] as const;
/** The largest networks have some thousands. */
const MOST_TENSORS = 20_000;
const PARALLEL_PREFIX = 'module.';
const RESAVE = 'Save its weights: torch.save(model.state_dict(), path)';
/**
 * Reading everything may take this many times the file's size: weights of half precision double as
 * float32, and tied weights count once for each name. More is a file that repeats itself to fill memory.
 */
const LARGEST_GROWTH = 4;
const GROWTH_ALLOWANCE = 2 ** 20;

/** Finds the weights of a PyTorch file and makes entries of them; `size` is the file's, in bytes. */
export function torchWeights(where: string, size: number, file: TorchFile): WeightFile {
  const root = file.root instanceof PyDict ? file.root.map : undefined;
  if (!root) throw notWeights(where, file.root);
  const key = WEIGHT_KEYS.find((name) => root.has(name) && !(root.get(name) instanceof TorchTensor));
  const chosen = key === undefined ? root : itemsOf(root.get(key)!);
  if (!chosen) throw notWeights(`${where}, ${key}`, root.get(key!)!);

  const named: [string, PickleValue][] = [];
  for (const [name, value] of chosen) {
    if (typeof name === 'string' && (key !== undefined || value instanceof TorchTensor))
      named.push([name, value]);
    else if (key !== undefined)
      throw unsupported(`${where}, ${key}`, `has a ${typeName(name)} for a name`, RESAVE);
  }
  if (!named.some(([, value]) => value instanceof TorchTensor)) {
    const names = [...chosen.keys()].filter((name) => typeof name === 'string').slice(0, 8);
    const what = names.length > 0 ? `; its names are ${names.map(quote).join(', ')}` : '';
    throw unsupported(key ? `${where}, ${key}` : where, `holds no tensors${what}`, RESAVE);
  }
  if (named.length > MOST_TENSORS)
    throw unsupported(where, `has ${named.length} tensors, which is too many`, RESAVE);
  const prefix = named.every(([name]) => name.startsWith(PARALLEL_PREFIX)) ? PARALLEL_PREFIX : '';
  const budget = new ReadingBudget(where, size);
  const entries = new Map<string, WeightEntry>();
  for (const [name, value] of named) {
    entries.set(
      name.slice(prefix.length),
      entryOf(`${where}, ${quoteKey(name)}`, value, file.bigEndian, budget),
    );
  }
  return { format: 'pth', entries, metadata: plainMetadata(root, key) };
}

function entryOf(where: string, value: PickleValue, bigEndian: boolean, budget: ReadingBudget): WeightEntry {
  if (!(value instanceof TorchTensor)) {
    const dtype = typeName(value);
    return { dtype, shape: [], read: () => Promise.reject(notReadable(where, dtype)) };
  }
  const { dtype, bytes, geometry } = value;
  const spec: TensorSpec = { where, dtype, storage: bytes, bigEndian, ...geometry };
  budget.add(spec);
  return tensorEntry(spec);
}

/** Holds the bytes that reading all tensors takes against the bytes that the file has. */
class ReadingBudget {
  private readonly where: string;
  private left: number;

  constructor(where: string, size: number) {
    this.where = where;
    this.left = size * LARGEST_GROWTH + GROWTH_ALLOWANCE;
  }

  add(spec: TensorSpec): void {
    this.left -= readingCost(spec);
    if (this.left >= 0) return;
    throw unsupported(
      spec.where,
      `the tensor of shape [${spec.shape}] takes far more memory than the bytes of ${this.where} can justify`,
      'Save the weights with .contiguous() tensors',
    );
  }
}

/** Plain keys as they are, strange ones quoted. */
function quoteKey(name: string): string {
  return /^[\w.-]{1,120}$/.test(name) ? name : quote(name);
}

/** Items of a dictionary or of an object of a dictionary-like class. */
function itemsOf(value: PickleValue): ReadonlyMap<PickleValue, PickleValue> | undefined {
  if (value instanceof PyDict) return value.map;
  return value instanceof PyObject ? value.map : undefined;
}

function notWeights(where: string, value: PickleValue): AsMlpError {
  if (value instanceof PyObject) {
    return unsupported(
      where,
      `is a whole Python object of class ${value.type.path}, not its weights`,
      RESAVE,
    );
  }
  const size = Array.isArray(value)
    ? value.length
    : value instanceof PyTuple
      ? value.items.length
      : undefined;
  const what = size === undefined ? typeName(value) : `${typeName(value)} of ${size}`;
  return unsupported(where, `is a ${what}, not a dictionary of named tensors`, RESAVE);
}
