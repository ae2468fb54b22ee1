import type { AsMlpError } from '@as-mlp/base';
import { damaged, quote } from '../errors.ts';

/** One tensor as a safetensors header describes it. */
export interface HeaderTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte and one past the last, counted from the end of the header. */
  readonly span: readonly [start: number, end: number];
}

/** A parsed header. */
export interface Header {
  readonly tensors: ReadonlyMap<string, HeaderTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The largest networks have some thousands. */
const MOST_TENSORS = 20_000;
const MOST_METADATA = 10_000;
const MOST_EXTENTS = 64;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const METADATA_KEY = '__metadata__';
const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * Parses the JSON of a header. Only the one shape that the format has is understood, so nesting is bounded
 * by the grammar, a name that comes twice (in whatever spelling) is noticed, and integers are integers.
 */
export function parseHeader(where: string, bytes: Uint8Array): Header {
  const json = new HeaderJson(where, bytes);
  const tensors = new Map<string, HeaderTensor>();
  let metadata: ReadonlyMap<string, string> | undefined;
  json.object((name) => {
    if (name === METADATA_KEY) {
      if (metadata) throw json.fail('has two __metadata__');
      metadata = readMetadata(json);
    } else {
      if (tensors.has(name)) throw json.fail(`names ${quote(name)} twice`);
      if (tensors.size >= MOST_TENSORS) throw json.fail(`names more than ${MOST_TENSORS} tensors`);
      tensors.set(name, readTensor(json, name));
    }
  });
  json.end();
  return { tensors, metadata: metadata ?? new Map() };
}

function readMetadata(json: HeaderJson): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  json.object((key) => {
    if (metadata.size >= MOST_METADATA) throw json.fail(`has more than ${MOST_METADATA} metadata strings`);
    if (metadata.has(key)) throw json.fail(`has the metadata ${quote(key)} twice`);
    metadata.set(key, json.string());
  });
  return metadata;
}

function readTensor(json: HeaderJson, name: string): HeaderTensor {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const once = (known: unknown, field: string) => {
    if (known !== undefined) throw json.fail(`has ${field} twice for ${quote(name)}`);
  };
  json.object((field) => {
    if (field === 'dtype') {
      once(dtype, field);
      dtype = json.string();
    } else if (field === 'shape') {
      once(shape, field);
      shape = json.integers(MOST_EXTENTS);
    } else if (field === 'data_offsets') {
      once(offsets, field);
      offsets = json.integers(2);
    } else throw json.fail(`has the unknown field ${quote(field)} for ${quote(name)}`);
  });
  if (dtype === undefined || !shape || offsets?.length !== 2) {
    throw json.fail(`lacks dtype, shape or data_offsets for ${quote(name)}`);
  }
  return { dtype, shape, span: [offsets[0]!, offsets[1]!] };
}

/** The part of JSON that a header can have. */
class HeaderJson {
  private readonly where: string;
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(where: string, bytes: Uint8Array) {
    this.where = where;
    this.bytes = bytes;
  }

  fail(what: string): AsMlpError {
    return damaged(this.where, `the safetensors header ${what} (byte ${this.at})`);
  }

  /** Calls `member` for every name; it must read the value. */
  object(member: (name: string) => void): void {
    this.expect(OPEN_OBJECT);
    if (this.skip(CLOSE_OBJECT)) return;
    do {
      const name = this.string();
      this.expect(COLON);
      member(name);
    } while (this.skip(COMMA));
    this.expect(CLOSE_OBJECT);
  }

  integers(most: number): number[] {
    const values: number[] = [];
    this.expect(OPEN_LIST);
    if (this.skip(CLOSE_LIST)) return values;
    do {
      if (values.length >= most) throw this.fail(`has a list of more than ${most} numbers`);
      values.push(this.integer());
    } while (this.skip(COMMA));
    this.expect(CLOSE_LIST);
    return values;
  }

  string(): string {
    this.expect(QUOTE);
    const start = this.at;
    for (;;) {
      const byte = this.bytes[this.at];
      if (byte === undefined) throw this.fail('ends inside a string');
      this.at += byte === BACKSLASH ? 2 : 1;
      if (byte === QUOTE) break;
    }
    const raw = this.bytes.subarray(start - 1, this.at);
    try {
      const value: unknown = JSON.parse(utf8.decode(raw));
      // Half of a surrogate pair can be spelt in JSON, but is no text.
      if (typeof value === 'string' && !/\p{Surrogate}/u.test(value)) return value;
    } catch {
      // reported below
    }
    throw this.fail('has a malformed string');
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.blank();
    if (this.at < this.bytes.length) throw this.fail('goes on after its end');
  }

  private integer(): number {
    this.blank();
    const start = this.at;
    let value = 0;
    for (;;) {
      const digit = (this.bytes[this.at] ?? 0) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      this.at++;
    }
    const digits = this.at - start;
    const next = this.bytes[this.at];
    const whole = next === COMMA || next === CLOSE_LIST || isBlank(next);
    if (digits === 0 || !whole || (digits > 1 && this.bytes[start] === 0x30)) {
      throw this.fail('has something else where a whole number must be');
    }
    if (!Number.isSafeInteger(value)) throw this.fail('has a number that is too large');
    return value;
  }

  private expect(byte: number): void {
    if (!this.skip(byte))
      throw this.fail(`is not the JSON it should be: it lacks a ${String.fromCharCode(byte)}`);
  }

  private skip(byte: number): boolean {
    this.blank();
    if (this.bytes[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  private blank(): void {
    while (isBlank(this.bytes[this.at])) this.at++;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}
