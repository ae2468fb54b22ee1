import type { LogRecord } from './log.ts';

/** A value of a record and its path in it, e.g. `['parts', 'ce']`. */
export type RecordField = readonly [path: readonly string[], value: unknown];

/** The values of a record in their order, those of the objects in it one by one. */
export function recordFields(record: LogRecord): RecordField[] {
  return fieldsOf(record, []);
}

function fieldsOf(value: object, path: readonly string[]): RecordField[] {
  return Object.entries(value).flatMap(([name, inner]): RecordField[] => {
    const here = [...path, name];
    return typeof inner === 'object' && inner !== null ? fieldsOf(inner, here) : [[here, inner]];
  });
}
