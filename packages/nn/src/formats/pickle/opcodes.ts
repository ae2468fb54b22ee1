import { COST, type Machine } from './machine.ts';
import {
  decodeBytes,
  decodeLatin1,
  decodeLong,
  decodeQuoted,
  decodeRawUnicode,
  decodeUtf8,
  parseFloatLiteral,
  parseInteger,
} from './text.ts';
import { type PickleValue, PyDict, PyGlobal, PyObject, PySet, PyTuple, typeName } from './values.ts';

type Instruction = (machine: Machine) => void;

/** The instruction that ends a pickle. */
export const STOP = '.'.charCodeAt(0);

const NEWEST_PROTOCOL = 5;
/** PyTorch's magic number takes ten bytes; nothing in a checkpoint takes more than a few. */
const LONGEST_INTEGER = 256;
const LONGEST_NAME = 256;

/** Instructions of Python's pickletools, by opcode. What is not here is an error. */
export const OPCODES: readonly (Instruction | undefined)[] = table({
  // Constants
  N: (m) => m.push(null),
  '\x88': (m) => m.push(true),
  '\x89': (m) => m.push(false),

  // Numbers
  J: (m) => m.push(m.input.i32()),
  K: (m) => m.push(m.input.u8()),
  M: (m) => m.push(m.input.u16()),
  G: (m) => m.push(m.input.f64()),
  '\x8a': (m) => pushLong(m, m.input.u8()),
  '\x8b': (m) => pushLong(m, m.input.i32()),
  I: (m) => {
    const text = word(m);
    m.push(text === '00' ? false : text === '01' ? true : needed(m, parseInteger(text), 'integer'));
  },
  L: (m) => m.push(needed(m, parseInteger(word(m).replace(/L$/, '')), 'integer')),
  F: (m) => m.push(needed(m, parseFloatLiteral(word(m)), 'number')),

  // Text and bytes
  X: (m) => pushText(m, decodeUtf8(m.input.take(m.input.u32()))),
  '\x8c': (m) => pushText(m, decodeUtf8(m.input.take(m.input.u8()))),
  '\x8d': (m) => pushText(m, decodeUtf8(m.input.take(m.input.u64()))),
  V: (m) => pushText(m, decodeRawUnicode(m.input.line())),
  S: (m) => pushText(m, decodeQuoted(m.input.line())),
  T: (m) => pushText(m, decodeBytes(m.input.take(length(m, m.input.i32())))),
  U: (m) => pushText(m, decodeBytes(m.input.take(m.input.u8()))),
  B: (m) => pushBytes(m, m.input.u32()),
  C: (m) => pushBytes(m, m.input.u8()),
  '\x8e': (m) => pushBytes(m, m.input.u64()),
  '\x96': (m) => pushBytes(m, m.input.u64()),

  // Tuples, lists, dictionaries, sets
  ')': (m) => m.pushTuple([]),
  '\x85': (m) => m.pushTuple(m.popMany(1)),
  '\x86': (m) => m.pushTuple(m.popMany(2)),
  '\x87': (m) => m.pushTuple(m.popMany(3)),
  t: (m) => m.pushTuple(m.popToMark()),
  ']': (m) => pushList(m, []),
  l: (m) => pushList(m, m.popToMark()),
  a: (m) => {
    const item = m.pop();
    m.appendItems(m.top(), [item]);
  },
  e: (m) => {
    const items = m.popToMark();
    m.appendItems(m.top(), items);
  },
  '}': (m) => pushDict(m, []),
  d: (m) => pushDict(m, m.popToMark()),
  s: (m) => {
    const item = m.popMany(2);
    m.setItems(m.top(), item);
  },
  u: (m) => {
    const items = m.popToMark();
    m.setItems(m.top(), items);
  },
  '\x8f': (m) => pushSet(m, []),
  '\x91': (m) => pushSet(m, m.popToMark()),
  '\x90': (m) => {
    const items = m.popToMark();
    const set = m.top();
    if (!(set instanceof PySet)) throw m.fail(`adds to a ${typeName(set)} as if it were a set`);
    m.appendItems(set.items, items);
  },

  // Names and what is made from them
  c: (m) => pushGlobal(m, name(m), name(m)),
  '\x93': (m) => {
    const [module, qualifiedName] = m.popMany(2);
    if (typeof module !== 'string' || typeof qualifiedName !== 'string')
      throw m.fail('has a name that is no text');
    pushGlobal(m, module, qualifiedName);
  },
  R: (m) => {
    const args = tuple(m, m.pop());
    make(m, m.pop(), args, 'call');
  },
  i: (m) => {
    const callee = m.host.findGlobal(m, name(m), name(m));
    make(m, callee, m.popToMark(), 'call');
  },
  o: (m) => {
    const [callee, ...args] = m.popToMark();
    if (callee === undefined) throw m.fail('makes an instance of nothing');
    make(m, callee, args, 'call');
  },
  '\x81': (m) => {
    const args = tuple(m, m.pop());
    make(m, m.pop(), args, 'create');
  },
  '\x92': (m) => {
    const keywords = m.pop();
    if (!(keywords instanceof PyDict)) throw m.fail('has keyword arguments that are no dictionary');
    const args = tuple(m, m.pop());
    m.spend(args.length * COST.item);
    make(m, m.pop(), keywords.map.size > 0 ? [...args, keywords] : args, 'create');
  },
  b: (m) => {
    const state = m.pop();
    build(m, m.top(), state);
  },
  Q: (m) => m.push(m.host.persistentLoad(m, m.pop())),
  P: (m) => m.push(m.host.persistentLoad(m, word(m))),

  // Stack and memo
  '0': (m) => m.drop(),
  '1': (m) => void m.popToMark(),
  '2': (m) => m.push(m.top()),
  '(': (m) => m.mark(),
  p: (m) => m.remember(index(m)),
  q: (m) => m.remember(m.input.u8()),
  r: (m) => m.remember(m.input.u32()),
  '\x94': (m) => m.rememberNext(),
  g: (m) => m.recall(index(m)),
  h: (m) => m.recall(m.input.u8()),
  j: (m) => m.recall(m.input.u32()),

  // Framing
  '\x80': (m) => {
    const protocol = m.input.u8();
    if (protocol > NEWEST_PROTOCOL) throw m.fail(`is of protocol ${protocol}, newer than ${NEWEST_PROTOCOL}`);
  },
  '\x95': (m) => {
    // Frames only help readers to buffer; but one that is longer than the pickle is a lie.
    const frame = m.input.u64();
    m.input.skip(frame);
    m.input.at -= frame;
  },
});

function table(instructions: Readonly<Record<string, Instruction>>): (Instruction | undefined)[] {
  const byCode = new Array<Instruction | undefined>(256).fill(undefined);
  for (const [character, run] of Object.entries(instructions)) byCode[character.charCodeAt(0)] = run;
  return byCode;
}

function needed<T>(m: Machine, value: T | undefined, what: string): T {
  if (value === undefined) throw m.fail(`has a malformed ${what}`);
  return value;
}

function length(m: Machine, value: number): number {
  if (value < 0) throw m.fail(`has a length of ${value}`);
  return value;
}

function pushLong(m: Machine, size: number): void {
  if (length(m, size) > LONGEST_INTEGER) throw m.fail(`has an integer of ${size} bytes`);
  m.spend(COST.value + size);
  m.push(decodeLong(m.input.take(size)));
}

function pushText(m: Machine, text: string | undefined): void {
  const value = needed(m, text, 'string');
  m.spend(COST.value + value.length * 2);
  m.push(value);
}

function pushBytes(m: Machine, size: number): void {
  const bytes = m.input.take(size);
  m.spend(COST.value * 2 + size);
  m.push(bytes.slice());
}

function pushList(m: Machine, items: PickleValue[]): void {
  m.spend(COST.value);
  m.push(items);
}

function pushSet(m: Machine, items: PickleValue[]): void {
  m.spend(COST.value);
  m.push(new PySet(items));
}

function pushDict(m: Machine, items: readonly PickleValue[]): void {
  m.spend(COST.dict);
  const dict = new PyDict();
  m.setItems(dict, items);
  m.push(dict);
}

function pushGlobal(m: Machine, module: string, qualifiedName: string): void {
  m.spend(COST.name);
  m.push(m.host.findGlobal(m, module, qualifiedName));
}

function make(m: Machine, callee: PickleValue, args: readonly PickleValue[], how: 'call' | 'create'): void {
  if (!(callee instanceof PyGlobal)) throw m.fail(`calls a ${typeName(callee)}`);
  m.spend(COST.dict + args.length * COST.item);
  m.push(m.host.make(m, callee, args, how));
}

/** BUILD: attributes of an inert object are kept; of a dictionary or a tensor they are of no use here. */
function build(m: Machine, target: PickleValue, state: PickleValue): void {
  if (target instanceof PyObject) {
    target.state = state;
    return;
  }
  const plain = target === null || typeof target !== 'object' || Array.isArray(target);
  if (plain || target instanceof PyTuple || target instanceof PyGlobal || target instanceof Uint8Array) {
    throw m.fail(`sets attributes of a ${typeName(target)}`);
  }
}

function tuple(m: Machine, value: PickleValue): readonly PickleValue[] {
  if (!(value instanceof PyTuple)) throw m.fail(`has a ${typeName(value)} where arguments must be`);
  return value.items;
}

/** A short line of text: a name, a number. */
function word(m: Machine): string {
  const line = m.input.line();
  if (line.length > 2 * LONGEST_NAME) throw m.fail('has a line that is too long');
  return decodeLatin1(line);
}

function name(m: Machine): string {
  const text = word(m);
  if (text.length > LONGEST_NAME) throw m.fail('has a name that is too long');
  return text;
}

function index(m: Machine): number {
  const value = needed(m, parseInteger(word(m)), 'index');
  if (typeof value !== 'number' || value < 0) throw m.fail('has a broken index');
  return value;
}
