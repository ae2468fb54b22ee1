import type { AsMlpError } from '@as-mlp/base';
import { damaged, quote, unsupported } from '../errors.ts';
import { Cursor } from './cursor.ts';
import { type PickleValue, PyDict, type PyGlobal, PyObject, PyTuple, typeName } from './values.ts';

/** The place in a pickle at which the host is asked something. */
export interface Spot {
  /** File, record and nearest name, for messages. */
  readonly where: string;
  /** Counts bytes of memory before they are taken; throws when it is too much. */
  spend(bytes: number): void;
}

/** What a pickle means to the file format it lies in. */
export interface PickleHost {
  /** File and record, for messages. */
  readonly where: string;
  /** The value for a name; throws for names that stand for program code. */
  findGlobal(spot: Spot, module: string, name: string): PyGlobal;
  /** The value of calling `callee` (`call`) or of creating an instance without calling it (`create`). */
  make(spot: Spot, callee: PyGlobal, args: readonly PickleValue[], how: 'call' | 'create'): PickleValue;
  /** The value for a persistent id. */
  persistentLoad(spot: Spot, id: PickleValue): PickleValue;
}

/** Some hundred times what the pickle of a large checkpoint needs, and little enough for any machine. */
const MEMORY_BUDGET = 128 * 2 ** 20;
const DEEPEST_STACK = 2 ** 22;
const NEARBY = 16;

/** Rough bytes of JavaScript memory, counted before they are taken. */
export const COST = { value: 64, dict: 256, entry: 64, item: 16, name: 96 } as const;

/** Stack, marks and memo of one pickle. Never recursive, so nesting in the file costs no call stack. */
export class Machine implements Spot {
  readonly input: Cursor;
  readonly host: PickleHost;
  private readonly stack: PickleValue[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private spent = 0;

  constructor(bytes: Uint8Array, host: PickleHost) {
    this.input = new Cursor(bytes);
    this.host = host;
  }

  /** The last text below the current values is mostly the key that they are meant for. */
  get where(): string {
    for (let at = this.stack.length - 1; at >= Math.max(0, this.stack.length - NEARBY); at--) {
      const value = this.stack[at];
      if (typeof value === 'string') return `${this.host.where}, near ${quote(value)}`;
    }
    return this.host.where;
  }

  fail(what: string): AsMlpError {
    return damaged(this.where, `${what} (byte ${this.input.at} of the pickle)`);
  }

  /** Counts memory that is about to be taken. */
  spend(bytes: number): void {
    this.spent += bytes;
    if (this.spent > MEMORY_BUDGET) throw this.tooLarge();
  }

  push(value: PickleValue): void {
    if (this.stack.length >= DEEPEST_STACK) throw this.tooLarge();
    this.stack.push(value);
  }

  /** Values above the last mark are the only ones within reach. */
  private get floor(): number {
    return this.marks.length === 0 ? 0 : this.marks[this.marks.length - 1]!;
  }

  pop(): PickleValue {
    if (this.stack.length <= this.floor) throw this.fail('takes a value from an empty stack');
    return this.stack.pop()!;
  }

  /** The last `count` values, in order. */
  popMany(count: number): PickleValue[] {
    if (this.stack.length - this.floor < count) throw this.fail('takes a value from an empty stack');
    return this.stack.splice(this.stack.length - count, count);
  }

  top(): PickleValue {
    if (this.stack.length <= this.floor) throw this.fail('needs a value from an empty stack');
    return this.stack[this.stack.length - 1]!;
  }

  mark(): void {
    if (this.marks.length >= DEEPEST_STACK) throw this.tooLarge();
    this.marks.push(this.stack.length);
  }

  /** Takes the last mark and all values above it. */
  popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.fail('goes back to a mark that was never set');
    this.spend((this.stack.length - mark) * COST.item);
    return this.stack.splice(mark);
  }

  /** POP: the top value, or the mark itself where it is on top. */
  drop(): void {
    if (this.stack.length > this.floor) this.stack.pop();
    else if (this.marks.pop() === undefined) throw this.fail('takes a value from an empty stack');
  }

  remember(index: number): void {
    if (!this.memo.has(index)) this.spend(COST.entry);
    this.memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.fail(`uses value ${index}, which was never stored`);
    this.push(value);
  }

  /** STOP: the one value that is left. */
  finish(): PickleValue {
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) throw this.fail('ends with values left over');
    return value;
  }

  /** Items for a dictionary: key, value, key, value, … */
  setItems(target: PickleValue, items: readonly PickleValue[]): void {
    if (items.length % 2 !== 0) throw this.fail('has a key without a value');
    const map = this.mapOf(target);
    this.spend((items.length / 2) * COST.entry);
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i]!;
      if (Array.isArray(key) || key instanceof PyDict) {
        throw this.fail(`has a ${typeName(key)} as a key, which Python does not allow`);
      }
      map.set(key, items[i + 1]!);
    }
  }

  private mapOf(target: PickleValue): Map<PickleValue, PickleValue> {
    if (target instanceof PyDict) return target.map;
    if (target instanceof PyObject) {
      if (!target.map) this.spend(COST.dict);
      target.map ??= new Map();
      return target.map;
    }
    throw this.fail(`sets an item of a ${typeName(target)}`);
  }

  appendItems(target: PickleValue, items: readonly PickleValue[]): void {
    this.spend(items.length * COST.item);
    for (const item of items) this.listOf(target).push(item);
  }

  private listOf(target: PickleValue): PickleValue[] {
    if (Array.isArray(target)) return target;
    if (target instanceof PyObject) {
      target.list ??= [];
      return target.list;
    }
    throw this.fail(`appends to a ${typeName(target)}`);
  }

  pushTuple(items: readonly PickleValue[]): void {
    this.spend(COST.value + items.length * COST.item);
    this.push(new PyTuple(items));
  }

  private tooLarge(): AsMlpError {
    const fix = 'Save only the weights: torch.save(model.state_dict(), path)';
    return unsupported(this.host.where, 'describes more objects than a checkpoint has', fix);
  }
}
