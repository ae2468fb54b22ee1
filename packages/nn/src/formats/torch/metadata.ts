import { type PickleValue, PyDict, PyGlobal, PyObject, PySet, PyTuple } from '../pickle/values.ts';

/** What trainers keep to go on training: large, and of no use to anyone else. */
const SKIPPED_KEYS = new Set(['optimizer', 'optimizers', 'amp', 'scaler']);
const DEEPEST = 32;
/** Values that one key, and all keys together, may unfold to. ImageNet's class names take 1,000. */
const MOST_VALUES = 50_000;
const MOST_VALUES_IN_ALL = 200_000;
/** Characters count too, because one long string can be named again and again. */
const CHARACTERS_A_VALUE = 256;

/** A plain value: JSON-able, without prototypes, cycles or shared parts. */
type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };

/** Thrown inside when a value refers to itself or unfolds to too much. */
class TooMuch extends Error {}

/**
 * Everything in a checkpoint beside the weights, as plain data. Tensors and bytes are dropped; instances of
 * unknown classes become their items (`CfgNode`), else their attributes, else what they were made from. A key whose
 * value refers to itself, is nested deeper than 32 or unfolds to more than 50,000 values is left out.
 */
export function plainMetadata(
  root: ReadonlyMap<PickleValue, PickleValue>,
  weightsKey: string | undefined,
): Readonly<Record<string, unknown>> {
  const out = emptyRecord();
  let left = MOST_VALUES_IN_ALL;
  for (const [key, value] of root) {
    if (typeof key !== 'string' || key === weightsKey || SKIPPED_KEYS.has(key) || isPrototype(key)) continue;
    if (left <= 0) break;
    const budget = { left: Math.min(left, MOST_VALUES) };
    const before = budget.left;
    try {
      const plain = toPlain(value, budget, 0);
      if (plain !== undefined) out[key] = plain;
    } catch (error) {
      if (!(error instanceof TooMuch)) throw error;
    }
    left -= before - budget.left;
  }
  return out;
}

/** Depth is bounded, so cycles end; the budget bounds how often a shared part is unfolded. */
function toPlain(value: PickleValue, budget: { left: number }, depth: number): Plain | undefined {
  spend(budget, typeof value === 'string' ? value.length : 0);
  if (depth > DEEPEST) throw new TooMuch();
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return listOf(value, budget, depth);
  if (value instanceof PyTuple || value instanceof PySet) return listOf(value.items, budget, depth);
  if (value instanceof PyDict) return recordOf(value.map, budget, depth);
  if (value instanceof PyGlobal) return value.path;
  if (value instanceof PyObject) return objectOf(value, budget, depth);
  return undefined;
}

function spend(budget: { left: number }, characters: number): void {
  budget.left -= 1 + characters / CHARACTERS_A_VALUE;
  if (budget.left < 0) throw new TooMuch();
}

function listOf(items: readonly PickleValue[], budget: { left: number }, depth: number): Plain[] {
  const out: Plain[] = [];
  for (const item of items) out.push(toPlain(item, budget, depth + 1) ?? null);
  return out;
}

function recordOf(
  map: ReadonlyMap<PickleValue, PickleValue>,
  budget: { left: number },
  depth: number,
  keep: (name: string) => boolean = () => true,
): { [name: string]: Plain } {
  const out = emptyRecord();
  for (const [key, value] of map) {
    spend(budget, typeof key === 'string' ? key.length : 0);
    const named = typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean';
    if (!named || isPrototype(String(key)) || !keep(String(key))) continue;
    const plain = toPlain(value, budget, depth + 1);
    if (plain !== undefined) out[String(key)] = plain;
  }
  return out;
}

function objectOf(object: PyObject, budget: { left: number }, depth: number): Plain | undefined {
  const number = numpyScalar(object);
  if (number !== undefined) return number;
  if (object.type.module.split('.', 1)[0] === 'numpy') return undefined;
  if (object.map) return recordOf(object.map, budget, depth);
  if (object.list) return listOf(object.list, budget, depth);
  const { state } = object;
  // An empty CfgNode has only attributes for internal use, such as __immutable__.
  if (state instanceof PyDict) return recordOf(state.map, budget, depth, (name) => !name.startsWith('__'));
  if (state !== undefined && state !== null) return toPlain(state, budget, depth + 1);
  const args = listOf(object.args, budget, depth);
  return args.some((arg) => arg !== null) ? args : undefined;
}

/** `numpy.float64(81.3)` and its like, pickled as `scalar(dtype('f8'), bytes)`. */
function numpyScalar(object: PyObject): number | boolean | undefined {
  if (!/^numpy\._?core\.multiarray\.scalar$/.test(object.type.path)) return undefined;
  const [type, bytes] = object.args;
  const kind = type instanceof PyObject && type.type.path === 'numpy.dtype' ? type.args[0] : undefined;
  const order = type instanceof PyObject && type.state instanceof PyTuple ? type.state.items[1] : undefined;
  if (!(bytes instanceof Uint8Array) || order === '>') return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === 'f8' && bytes.length === 8) return view.getFloat64(0, true);
  if (kind === 'f4' && bytes.length === 4) return view.getFloat32(0, true);
  if (kind === 'i8' && bytes.length === 8) return Number(view.getBigInt64(0, true));
  if (kind === 'i4' && bytes.length === 4) return view.getInt32(0, true);
  return kind === 'b1' && bytes.length === 1 ? view.getUint8(0) !== 0 : undefined;
}

function emptyRecord(): { [name: string]: Plain } {
  return Object.create(null) as { [name: string]: Plain };
}

/** A copy made by assignment would change its prototype through this key. */
function isPrototype(key: string): boolean {
  return key === '__proto__';
}
