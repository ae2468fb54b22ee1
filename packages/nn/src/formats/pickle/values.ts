/**
 * What a pickle can build here. Lists are arrays; nothing is ever a plain object, so names from the file
 * such as `__proto__` are only keys of Maps.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PyTuple
  | PyDict
  | PySet
  | PyGlobal
  | PyObject
  | HostValue;

/** A Python tuple. */
export class PyTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A `dict` or an `OrderedDict`, in insertion order. */
export class PyDict {
  readonly map = new Map<PickleValue, PickleValue>();
}

/** A `set` or a `frozenset`. */
export class PySet {
  readonly items: PickleValue[];

  constructor(items: PickleValue[]) {
    this.items = items;
  }
}

/** A name of a class or a function. It stays a name: nothing is looked up or imported. */
export class PyGlobal {
  readonly module: string;
  readonly name: string;

  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }

  /** `module.name` */
  get path(): string {
    return `${this.module}.${this.name}`;
  }
}

/** An instance of a class that is not known here, kept as the inert data it was pickled with. */
export class PyObject {
  readonly type: PyGlobal;
  readonly args: readonly PickleValue[];
  /** Items, when the class is a kind of `dict`. */
  map: Map<PickleValue, PickleValue> | undefined;
  /** Items, when the class is a kind of `list`. */
  list: PickleValue[] | undefined;
  /** Attributes. */
  state: PickleValue | undefined;

  constructor(type: PyGlobal, args: readonly PickleValue[]) {
    this.type = type;
    this.args = args;
  }
}

/** Base of the values that only the host of the machine understands, e.g. tensors. */
export abstract class HostValue {
  /** Name for messages. */
  abstract readonly typeName: string;
}

/** Python's name of a value's type, for messages. */
export function typeName(value: PickleValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (typeof value === 'string') return 'str';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return 'list';
  if (value instanceof PyTuple) return 'tuple';
  if (value instanceof PyDict) return 'dict';
  if (value instanceof PySet) return 'set';
  if (value instanceof PyObject) return value.type.path;
  return value instanceof PyGlobal ? 'type' : value.typeName;
}
