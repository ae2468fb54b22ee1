import { readFileSync } from 'node:fs';

/** Where a file of `golden/` lies. */
export const goldenPath = (name: string): string => new URL(`../golden/${name}`, import.meta.url).pathname;

/** A file of `golden/`, parsed. */
export function golden<T>(name: string): T {
  return JSON.parse(readFileSync(goldenPath(name), 'utf8')) as T;
}

/** Rows of class indices as a label map. */
export function labelMap(rows: readonly (readonly number[])[]) {
  return { height: rows.length, width: rows[0]!.length, data: Uint8Array.from(rows.flat()) };
}
