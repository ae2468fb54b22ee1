import { readFile } from 'node:fs/promises';
import { describeIoError } from '@as-mlp/base/node';
import {
  type BeginRecord,
  type EvaluationRecord,
  type LogRecord,
  readRecords,
  runFolder,
  type StepRecord,
} from '@as-mlp/train';

/** What the files of a run say. */
export interface RunData {
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly begins: readonly BeginRecord[];
  readonly steps: readonly StepRecord[];
  readonly evaluations: readonly EvaluationRecord[];
  /** Time spent, without the time between stopping and going on. */
  readonly seconds: number;
}

/** Reads the recipe and the log of a run. */
export async function readRunData(folder: string): Promise<RunData> {
  const { recipe, log } = runFolder(folder);
  const text = await readFile(recipe, 'utf8').catch((error: unknown) => {
    throw describeIoError(error, recipe);
  });
  const records = await readRecords(log);
  return {
    recipe: JSON.parse(text) as Record<string, unknown>,
    begins: records.filter(
      (record): record is BeginRecord => record.type === 'start' || record.type === 'resume',
    ),
    steps: records.filter((record): record is StepRecord => record.type === 'step'),
    evaluations: records.filter((record): record is EvaluationRecord => record.type === 'evaluation'),
    seconds: secondsOf(records),
  };
}

function secondsOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, { type, time }, i) => {
    const before = records[i - 1];
    if (!before || type === 'resume') return sum;
    return sum + Math.max(0, Date.parse(time) - Date.parse(before.time)) / 1000;
  }, 0);
}

/** Means of equal runs of values, at most `most` of them. */
export function thinned(values: readonly number[], most: number): Float64Array {
  const size = Math.max(1, Math.ceil(values.length / most));
  return Float64Array.from({ length: Math.ceil(values.length / size) }, (_, i) => {
    const part = values.slice(i * size, (i + 1) * size);
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

/** The values of an object one by one, with their paths: `schedule.kind`, … Lists stay in one piece. */
export function flattened(
  value: Readonly<Record<string, unknown>>,
  path = '',
): [path: string, value: string][] {
  return Object.entries(value).flatMap(([name, inner]): [string, string][] => {
    const here = path ? `${path}.${name}` : name;
    const isObject = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    if (isObject) return flattened(inner as Record<string, unknown>, here);
    return [[here, typeof inner === 'string' ? inner : JSON.stringify(inner)]];
  });
}
