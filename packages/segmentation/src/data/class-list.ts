import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import type { Rgb } from '@as-mlp/data';
import { z } from 'zod';
import { ADE20K_PALETTE, isAde20k } from '../ade20k.ts';

/** The classes of a data set. */
export interface ClassList {
  /** Names in the order of the numbers in label maps. */
  readonly labels: readonly string[];
  /** Whether 0 means unlabelled in label maps and the classes count from 1. */
  readonly reduceZeroLabel: boolean;
  /** A colour for each class, where the list names them or the classes are ADE20K's. */
  readonly palette?: readonly Rgb[] | undefined;
}

const FILE_NAME = /^(classes\d*\.(txt|json)|objectInfo150\.txt)$/;

const byte = z.number().int().min(0).max(255);
const classSchema = z.looseObject({
  id: z.number().int().nonnegative(),
  name: z.string(),
  color: z.tuple([byte, byte, byte]).optional(),
});
const jsonSchema = z.union([z.array(z.string()).min(1), z.array(classSchema).min(1)]);

/**
 * The classes that a folder names: `classes.txt` with a name a line, or `classes.json` (also `classes150.json`, …) with a list
 * of names, or of `{ id, name, color? }`. Ids that begin with 1 say that 0 means unlabelled. ADE20K's own
 * `objectInfo150.txt` is read too where it is the only list.
 *
 * @returns undefined when there is no such file.
 * @throws AsMlpError (input) for a file that cannot be understood, and for several.
 */
export function readClassList(root: string): ClassList | undefined {
  const found = readdirSync(root).filter((name) => FILE_NAME.test(name));
  if (found.length === 0) return undefined;
  const own = found.filter((name) => name.startsWith('classes'));
  const files = own.length > 0 ? own : found;
  if (files.length > 1) {
    throw new AsMlpError('input', {
      where: root,
      what: `there are several lists of classes: ${files.join(', ')}`,
      fix: 'Keep one of them',
    });
  }
  const path = join(root, files[0]!);
  const text = readFileSync(path, 'utf8');
  const read = path.endsWith('.json') ? fromJson : own.length > 0 ? fromText : fromAde20k;
  const list = read(text, path);
  const { labels } = list;
  const twice = labels.find((name, i) => labels.indexOf(name) !== i);
  if (labels.length === 0 || twice !== undefined) {
    throw new AsMlpError('input', {
      where: path,
      what: twice === undefined ? 'it names no class' : `it names the class "${twice}" twice`,
      fix: 'Give each class a name of its own, in the order of their numbers',
    });
  }
  return { ...list, palette: list.palette ?? (isAde20k(labels) ? ADE20K_PALETTE : undefined) };
}

function fromText(text: string): ClassList {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return { labels: lines.filter((line) => line !== ''), reduceZeroLabel: false };
}

/** A heading, then a class a line: its number from 1, figures, its name, with tabs between. */
function fromAde20k(text: string): ClassList {
  const rows = text.split(/\r?\n/).map((line) => line.split(/\t+/).map((cell) => cell.trim()));
  const classes = rows.filter(([number]) => /^\d+$/.test(number!));
  return { labels: classes.map((row) => row.filter(Boolean).at(-1)!), reduceZeroLabel: true };
}

function fromJson(text: string, where: string): ClassList {
  const fault = (what: string, cause?: unknown) =>
    new AsMlpError('input', {
      where,
      what,
      fix: 'Give a list of names, or of objects with "id" and "name" whose ids are 0, 1, … or 1, 2, …',
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw fault('it is no JSON', error);
  }
  const { data } = jsonSchema.safeParse(value);
  if (!data) throw fault('it is no list of classes');
  const classes = data.map((one, id) =>
    typeof one === 'string' ? { id, name: one, color: undefined } : one,
  );
  classes.sort((a, b) => a.id - b.id);
  const first = classes[0]!.id;
  if (first > 1 || classes.some(({ id }, i) => id !== first + i)) {
    throw fault('the ids of its classes have gaps or are given twice');
  }
  const colours = classes.flatMap(({ color }) => (color ? [color] : []));
  return {
    labels: classes.map(({ name }) => name),
    reduceZeroLabel: first === 1,
    palette: colours.length === classes.length ? colours : undefined,
  };
}
