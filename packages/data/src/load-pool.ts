import { setTimeout } from 'node:timers/promises';
import { AsMlpError } from '@as-mlp/base';
import { Piscina } from 'piscina';
import {
  createBatchLoader,
  type LoadJob,
  type LoadOutcome,
  type LoadSource,
  type PlainError,
} from './load-batch.ts';

/** How long closing waits for jobs in progress before it ends their threads. */
const CLOSE_LIMIT_MS = 10_000;

/** Something that loads batches, in this thread or others. */
export interface LoadPool {
  /** Loads one batch. Throws AsMlpError when the batch as a whole fails. */
  load(job: LoadJob): Promise<LoadOutcome>;
  /** Waits for batches in progress, drops those that wait, and ends the threads. */
  close(): Promise<void>;
}

/** A pool of `workers` threads, or this thread when there are none. */
export function openLoadPool(source: LoadSource, workers: number): LoadPool {
  return workers === 0 ? openInProcess(source) : openThreads(source, workers);
}

function openInProcess(source: LoadSource): LoadPool {
  return { load: createBatchLoader(source), close: async () => {} };
}

function openThreads(source: LoadSource, workers: number): LoadPool {
  const isSource = import.meta.url.endsWith('.ts');
  const pool = new Piscina({
    filename: new URL(isSource ? './load-worker.ts' : './load-worker.js', import.meta.url).href,
    name: 'run',
    minThreads: workers,
    maxThreads: workers,
    execArgv: threadArguments(isSource, source.module),
    workerData: source,
    // With Atomics a thread without a job would block, and background work of load functions with it.
    atomics: 'disabled',
    recordTiming: false,
  });
  // A thread that dies between jobs is replaced. One that cannot even start is not, and jobs would wait for ever.
  const abandon = new Set<(error: unknown) => void>();
  pool.on('error', (error: unknown) => {
    if (pool.threads.length === 0) for (const reject of abandon) reject(error);
  });
  const runInPool = async (job: LoadJob) =>
    await new Promise<LoadOutcome | PlainError>((resolve, reject) => {
      abandon.add(reject);
      const settled = () => abandon.delete(reject);
      pool.run(job).then(resolve, reject).finally(settled);
    });

  // Jobs wait here, not in the pool, so that closing can tell those that run from those that do not.
  const running = new Set<Promise<unknown>>();
  const waiting: { start: () => void; cancel: () => void }[] = [];
  let isClosed = false;
  const run = async (job: LoadJob): Promise<LoadOutcome> => {
    const result = runInPool(job).catch((error: unknown) => {
      throw threadError(job, error);
    });
    running.add(result);
    try {
      const outcome = await result;
      if ('kind' in outcome) throw new AsMlpError(outcome.kind, outcome);
      return outcome;
    } finally {
      running.delete(result);
      waiting.shift()?.start();
    }
  };
  return {
    async load(job) {
      if (isClosed) throw cancelled();
      if (running.size < workers) return await run(job);
      return await new Promise((resolve, reject) => {
        waiting.push({ start: () => resolve(run(job)), cancel: () => reject(cancelled()) });
      });
    },
    async close() {
      isClosed = true;
      for (const { cancel } of waiting.splice(0)) cancel();
      const limit = new AbortController();
      const timeout = setTimeout(CLOSE_LIMIT_MS, undefined, { signal: limit.signal }).catch(() => {});
      await Promise.race([Promise.allSettled(running), timeout]);
      limit.abort();
      await pool.destroy();
    },
  };
}

function cancelled(): AsMlpError {
  return new AsMlpError('cancelled', { what: 'the loader was closed before the batch was loaded' });
}

function threadError(job: LoadJob, error: unknown): AsMlpError {
  const reason = error instanceof Error ? error.message : String(error);
  return new AsMlpError('io', {
    where: `samples ${job.indices.join(', ')}`,
    what: `the thread that loaded them failed (${reason})`,
    fix: 'Load them with 0 workers to see why',
    cause: error,
  });
}

/** Threads do not inherit how this process reads TypeScript: say it again where sources are run without a build. */
function threadArguments(isSource: boolean, module: string): string[] {
  const conditions = isSource ? ['--conditions=source'] : [];
  if (!isSource && !module.endsWith('.ts')) return conditions;
  // `--import tsx` registers itself in the main thread only.
  const register = `import { register } from ${JSON.stringify(resolveTsx(module))}; register();`;
  return [...conditions, '--import', `data:text/javascript,${encodeURIComponent(register)}`];
}

function resolveTsx(module: string): string {
  try {
    return import.meta.resolve('tsx/esm/api');
  } catch (error) {
    throw new AsMlpError('usage', {
      where: module,
      what: 'threads cannot read TypeScript without the package "tsx", which is not installed',
      fix: 'Name the compiled module, install tsx, or load with 0 workers',
      cause: error,
    });
  }
}
