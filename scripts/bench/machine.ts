import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** The clock of `/proc` on Linux, in ticks a second; the kernel shows 100 to programs whatever it uses itself. */
const TICKS_PER_SECOND = 100;
/** Share of the processors from which on others are in the way. */
const DISTURBED = 0.1;

/** The most memory that a process and its children ever had, in MiB; undefined where the system does not tell. */
export function peakMemory(pid: number): number | undefined {
  const kib = family(pid).map(
    (member) => /^VmHWM:\s+(\d+) kB$/m.exec(readProc(`${member}/status`) ?? '')?.[1],
  );
  return kib[0] === undefined
    ? undefined
    : Math.round(kib.reduce((sum, text) => sum + Number(text ?? 0), 0) / 1024);
}

/** A value and the share of the processors that other programs took meanwhile, where the system tells. */
export interface Watched<T> {
  readonly value: T;
  readonly others: number | undefined;
}

/** Runs `work`, which keeps this process and those of `pids` busy, and sees what else ran meanwhile. */
export async function watch<T>(pids: readonly number[], work: () => Promise<T>): Promise<Watched<T>> {
  const before = reading(pids);
  const value = await work();
  const after = reading(pids);
  if (before.own === undefined || after.own === undefined) return { value, others: undefined };
  const foreign = after.busy - before.busy - (after.own - before.own);
  // Short spans round to below zero.
  return { value, others: Math.max(0, foreign / Math.max(1, after.all - before.all)) };
}

/**
 * Runs `work` when the machine is quiet, and again while others came in between, until `patience` (seconds) is used up; then the
 * last run counts, with what disturbed it.
 */
export async function whenQuiet<T>(
  pids: readonly number[],
  patience: number,
  work: () => Promise<T>,
): Promise<Watched<T>> {
  const end = performance.now() + patience * 1000;
  for (;;) {
    while (performance.now() < end) {
      const { others } = await watch(pids, () => setTimeout(250));
      if (others === undefined || others < DISTURBED) break;
    }
    const result = await watch(pids, work);
    if (result.others === undefined || result.others < DISTURBED || performance.now() >= end) return result;
  }
}

/** Milliseconds of processor time since the start of the machine: in all, busy, and used by this bench. */
function reading(pids: readonly number[]): { all: number; busy: number; own: number | undefined } {
  let all = 0;
  let idle = 0;
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  const used = [process.pid, ...pids.flatMap(family)].map(processorTime);
  const own = used.every((time) => time !== undefined)
    ? used.reduce((sum, time) => sum + time, 0)
    : undefined;
  return { all, busy: all - idle, own };
}

/** Milliseconds that a process and its children that have ended computed. */
function processorTime(pid: number): number | undefined {
  // The name in brackets, the second field, may hold spaces.
  const fields = readProc(`${pid}/stat`)?.split(') ').at(-1)?.split(' ');
  if (!fields) return undefined;
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}

/** A process and those that it started itself. */
function family(pid: number): number[] {
  const children = readProc(`${pid}/task/${pid}/children`)?.trim().split(' ') ?? [];
  return [pid, ...children.filter((text) => text !== '').map(Number)];
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return undefined;
  }
}
