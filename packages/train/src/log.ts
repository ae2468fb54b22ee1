import { appendFile, readFile } from 'node:fs/promises';
import { describeIoError, errorCode, writeFileAtomic } from '@as-mlp/base/node';
import type { Environment, MemoryUse } from './environment.ts';
import type { RunState } from './run-state.ts';

interface Stamp {
  /** ISO 8601. */
  readonly time: string;
  /** Updates done. */
  readonly step: number;
}

/** Written when a run starts or goes on. */
export interface BeginRecord extends Stamp {
  readonly type: 'start' | 'resume';
  readonly environment: Environment;
}

/** Written every `logEvery` updates, about the last of them. */
export interface StepRecord extends Stamp {
  readonly type: 'step';
  /** The current epoch, from 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly parts: Readonly<Record<string, number>>;
  /** The learning rate that this update applied. */
  readonly lr: number;
  /** Norm of all gradients together, before clipping. */
  readonly gradNorm: number;
  /** Images a second since the last such record. */
  readonly imgPerSec: number;
  /** Share of the time since the last such record that the loop waited for data, 0 to 1. */
  readonly dataWait: number;
  readonly memory: MemoryUse;
}

/** Written after each evaluation. */
export interface EvaluationRecord extends Stamp {
  readonly type: 'evaluation';
  /** Whole epochs done. */
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Whether these weights are the best so far. */
  readonly best: boolean;
}

/** One line of `log.jsonl`. */
export type LogRecord = BeginRecord | StepRecord | EvaluationRecord;

/** Appends one record to `path`. */
export async function appendRecord(path: string, record: LogRecord): Promise<void> {
  await appendFile(path, `${JSON.stringify(record)}\n`).catch((error: unknown) => {
    throw describeIoError(error, path);
  });
}

/** The records of a log, oldest first; a last line that a crash cut off is passed over. None where there is no file. */
export async function readRecords(path: string): Promise<LogRecord[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw describeIoError(error, path);
  });
  return text.split('\n').flatMap((line) => parseRecord(line) ?? []);
}

/**
 * Cuts a log back to what a checkpoint knows of, when a run goes on from there: what was computed after it is computed
 * again. A last line that a crash cut off goes too. Without a checkpoint nothing stays. Returns what stays.
 */
export async function rewindLog(path: string, checkpoint: RunState | undefined): Promise<LogRecord[]> {
  const evaluated = new Set(checkpoint?.history.map(({ step }) => step));
  const known = (record: LogRecord) => {
    if (!checkpoint || record.step > checkpoint.step) return false;
    return record.type !== 'evaluation' || evaluated.has(record.step);
  };
  const kept = (await readRecords(path)).filter(known);
  await writeFileAtomic(path, kept.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return kept;
}

function parseRecord(line: string): LogRecord | undefined {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== 'object' || record === null || !('step' in record) || !('type' in record))
      return undefined;
    return typeof record.step === 'number' ? (record as LogRecord) : undefined;
  } catch {
    return undefined;
  }
}
