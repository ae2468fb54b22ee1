import { readFile } from 'node:fs/promises';
import { AsMlpError } from '@as-mlp/base';
import { describeIoError } from '@as-mlp/base/node';

/** An object of a JSON file whose fields are not yet checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The content of a JSON file. Throws AsMlpError('input') where there is no such file and where it is not JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw describeIoError(error, path, 'input');
  });
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (cause) {
    // Python writes these words, which are no JSON.
    const word = /[[:,]\s*(NaN|-?Infinity)\s*[\],}]/.exec(text)?.[1];
    throw new AsMlpError('input', {
      where: path,
      what: word
        ? `there is a number ${word}, which JSON does not have`
        : `this is no JSON (${(cause as Error).message})`,
      fix: word
        ? 'Find where it was computed: boxes, areas and scores must be finite'
        : 'The file may be truncated: fetch or write it again',
      cause,
    });
  }
}

/** Checks the fields of one entry of a file; every failure names the entry. */
export class Entry {
  readonly fields: JsonObject;
  private readonly source: string;
  private readonly kind: string;
  private readonly index: number;

  /** Messages say the entry's `id` where it has one, else its place in the list; of results always the place. */
  constructor(value: unknown, source: string, kind: string, index: number) {
    this.source = source;
    this.kind = kind;
    this.index = index;
    this.fields = value as JsonObject;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.fields = {};
      throw this.fault(`is ${show(value)}`, 'Write an object');
    }
  }

  get where(): string {
    const { id } = this.fields;
    const byPlace = id === undefined || this.kind === 'result';
    return `${this.source}, ${this.kind} ${byPlace ? `number ${this.index + 1}` : show(id)}`;
  }

  fault(what: string, fix: string): AsMlpError {
    return new AsMlpError('input', { where: this.where, what, fix });
  }

  /** A whole number; `least` bounds it from below. */
  whole(name: string, least = Number.MIN_SAFE_INTEGER): number {
    const value = this.fields[name];
    if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
    const bound = least > Number.MIN_SAFE_INTEGER ? ` from ${least}` : '';
    throw this.fault(`"${name}" is ${show(value)}`, `Give a whole number${bound}`);
  }

  finite(name: string, fix = 'Give a finite number'): number {
    const value = this.fields[name];
    if (Number.isFinite(value)) return value as number;
    throw this.fault(`"${name}" is ${show(value)}`, fix);
  }

  /** Puts x, y, width, height of a box at `at`. */
  box(name: string, into: Float64Array, at: number): void {
    const value = this.fields[name];
    const good = Array.isArray(value) && value.length === 4 && value.every((side) => Number.isFinite(side));
    if (!good) throw this.fault(`"${name}" is ${show(value)}`, 'Give [x, y, width, height] in pixels');
    for (let side = 0; side < 4; side++) into[at + side] = (value as number[])[side]!;
  }

  /** A flag as Python would take it: absent, 0, 1, false or true. */
  flag(name: string): 0 | 1 {
    const value = this.fields[name];
    if (value === undefined || value === 0 || value === false) return 0;
    if (value === 1 || value === true) return 1;
    throw this.fault(`"${name}" is ${show(value)}`, 'Give 0 or 1');
  }
}

/** A list of a file's top level. */
export function listOf(file: JsonObject, name: string, source: string): readonly unknown[] {
  const list = file[name];
  if (Array.isArray(list)) return list;
  throw new AsMlpError('input', {
    where: source,
    what: list === undefined ? `there is no list "${name}"` : `"${name}" is no list`,
    fix: 'Give a COCO file: { "images": […], "annotations": […], "categories": […] }',
  });
}

function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
