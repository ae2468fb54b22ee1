import { appendFile } from 'node:fs/promises';
import { describeIoError, writeFileAtomic } from '@as-mlp/base/node';
import type { LogRecord } from './log.ts';
import { recordFields } from './record-fields.ts';

/** One kind of records as a table. */
export interface CsvLog {
  add(record: LogRecord): Promise<void>;
}

/**
 * A table of records at `path`, which is written anew with those that a run goes on from and then grows by a row a record. The
 * columns are the fields of the first record, named by their paths (`loss`, `parts.ce`, …); fields that only later records have
 * are left out.
 */
export async function openCsvLog(path: string, before: readonly LogRecord[]): Promise<CsvLog> {
  let columns: readonly string[] | undefined;
  const rowOf = (record: LogRecord): string => {
    const { type: _, ...rest } = cells(record);
    const isFirst = columns === undefined;
    columns ??= Object.keys(rest);
    const row = line(columns.map((name) => rest[name] ?? ''));
    return isFirst ? line(columns.map(quoted)) + row : row;
  };
  await writeFileAtomic(path, before.map(rowOf).join(''));
  return {
    add: (record) =>
      appendFile(path, rowOf(record)).catch((error: unknown) => {
        throw describeIoError(error, path);
      }),
  };
}

function cells(record: LogRecord): Record<string, string> {
  const named = recordFields(record).map(([path, value]) => [path.join('.'), quoted(String(value ?? ''))]);
  return Object.fromEntries(named);
}

/** RFC 4180. */
function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const line = (cells: readonly string[]) => `${cells.join(',')}\n`;
