import type { Engine } from '@as-mlp/engine';
import type { Verb } from './cli.ts';
import { addComputeOptions, type EngineFlags, imageSize, wholeNumber, wholeNumbers } from './options.ts';
import { checkTarget, writeJson } from './outputs.ts';
import { formatTable } from './table.ts';

/** A network to be timed on random input. */
export interface Timed {
  /** Runs one batch, of `step` where the task has several, and waits for the result. */
  run(batch: number, step: string): Promise<void>;
  dispose(): void;
}

/** Options of `bench`. */
export interface BenchFlags extends EngineFlags {
  readonly model: string;
  readonly batch: readonly number[];
  readonly size: { height: number; width: number };
  readonly runs: number;
  readonly json?: string;
}

/** What a task brings to `bench`. */
export interface BenchTask {
  readonly defaultModel: string;
  readonly defaultSize: string;
  /** What is timed, each for itself; the forward pass alone unless given. */
  readonly steps?: readonly string[];
  /** Whether images can be taken together; true unless given. */
  readonly batched?: boolean;
  readonly description?: string;
  open(flags: BenchFlags, engine: Engine): Promise<Timed>;
}

/** One row of a bench. Milliseconds an image. */
export interface BenchRow {
  readonly batch: number;
  /** Where the task has several. */
  readonly step?: string;
  readonly p50: number;
  readonly p95: number;
  readonly imgPerSec: number;
}

/** `bench --model NAME --batch 1,8 --size 224`: time of one forward pass, batch sizes and steps interleaved, and peak memory. */
export function benchVerb(task: BenchTask): Verb {
  return (program, cli) => {
    const command = program
      .command('bench')
      .description(task.description ?? 'time the forward pass with random weights')
      .option('--model <name>', 'the architecture', task.defaultModel)
      .option('--size <side|height,width>', 'image size', imageSize, imageSize(task.defaultSize))
      .option('--runs <n>', 'timed runs of each batch size', wholeNumber(1), 10)
      .option('--json <file>', 'write the figures as JSON; - is standard output');
    if (task.batched ?? true) command.option('--batch <n,…>', 'batch sizes', wholeNumbers, [1, 8]);
    addComputeOptions(command).action(async (given: BenchFlags) => {
      const flags = { ...given, batch: given.batch ?? [1] };
      await checkTarget(flags.json);
      const engine = await cli.openEngine(flags);
      const timed = await task.open(flags, engine);
      let rows: BenchRow[];
      try {
        rows = await measure(timed, { ...flags, steps: task.steps }, cli.signal);
      } finally {
        timed.dispose();
      }
      const peakRssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
      const { model, size } = flags;
      const { threads, precision } = engine;
      const figures = { model, size, engine: engine.name, threads, precision, rows, peakRssMiB };
      if (flags.json !== undefined) await writeJson(flags.json, figures, cli.terminal);
      if (flags.json === '-') return;
      const cells = rows.map(({ batch, step, p50, p95, imgPerSec }) => [
        step ?? String(batch),
        p50.toFixed(1),
        p95.toFixed(1),
        imgPerSec.toFixed(1),
      ]);
      cli.terminal.out(formatTable([task.steps ? 'step' : 'batch', 'ms/image p50', 'p95', 'img/s'], cells));
      cli.terminal.out(`peak memory ${peakRssMiB} MiB\n`);
    });
  };
}

/** Runs every batch size in turn, so that a machine whose speed drifts is fair to all. The first round is not counted. */
export async function measure(
  timed: Timed,
  { batch, runs, steps }: Pick<BenchFlags, 'batch' | 'runs'> & { readonly steps?: readonly string[] },
  signal: AbortSignal,
): Promise<BenchRow[]> {
  const series = batch.flatMap((size) =>
    (steps ?? ['']).map((step) => ({ size, step, times: [] as number[] })),
  );
  for (let round = 0; round <= runs; round++) {
    for (const { size, step, times } of series) {
      signal.throwIfAborted();
      const start = performance.now();
      await timed.run(size, step);
      if (round > 0) times.push((performance.now() - start) / size);
    }
  }
  return series.map(({ size, step, times }) => {
    const p50 = quantile(times, 0.5);
    const row = { batch: size, p50, p95: quantile(times, 0.95), imgPerSec: 1000 / p50 };
    return step ? { ...row, step } : row;
  });
}

/** The value that `share` (0 to 1) of `values` lie below; one of the values, and NaN where there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
