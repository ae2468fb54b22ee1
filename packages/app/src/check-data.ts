import { AsMlpError } from '@as-mlp/base';
import type { CheckDataOptions, PartReport } from '@as-mlp/data';
import type { Command } from 'commander';
import type { Cli, Verb } from './cli.ts';
import { wholeNumber } from './options.ts';
import { checkTarget, writeJson } from './outputs.ts';
import { formatTable } from './table.ts';
import type { ProgressLine } from './terminal.ts';

/** Options of `check-data`. */
export interface CheckDataFlags {
  readonly data: string;
  readonly json?: string;
  readonly workers?: number;
}

/** What a task brings to `check-data`. */
export interface CheckDataTask<F extends CheckDataFlags> {
  addOptions?(command: Command): void;
  check(flags: F, options: CheckDataOptions): Promise<readonly PartReport[]>;
}

const NAMED = 20;

/** `check-data --data ROOT [--json FILE|-]`: counts, sizes and faults of a data set; exit code 1 where there are faults. */
export function checkDataVerb<F extends CheckDataFlags = CheckDataFlags>(task: CheckDataTask<F>): Verb {
  return (program, cli) => {
    const command = program
      .command('check-data')
      .description('look through a data set: classes, sizes, broken files, wrong labels')
      .requiredOption('--data <folder>', 'the data set')
      .option('--json <file>', 'write what was found as JSON; - is standard output')
      .option('--workers <n>', 'threads that read images', wholeNumber(0));
    task.addOptions?.(command);
    command.action((flags: F) => check(task, flags, cli));
  };
}

async function check<F extends CheckDataFlags>(task: CheckDataTask<F>, flags: F, cli: Cli): Promise<void> {
  const { terminal, signal } = cli;
  await checkTarget(flags.json);
  let progress: ProgressLine | undefined;
  const onProgress = (done: number, total: number) => {
    progress ??= terminal.progress('check-data', total, 'images');
    progress.update(done);
  };
  const { workers } = flags;
  const parts = await task.check(flags, { workers, signal, onProgress }).finally(() => progress?.stop());
  if (flags.json !== undefined) await writeJson(flags.json, { data: flags.data, parts }, terminal);
  if (flags.json !== '-') terminal.out(describeParts(parts));
  const faults = parts.flatMap((part) => part.faults.map((fault) => `${part.split}: ${fault}`));
  for (const fault of faults.slice(0, NAMED)) terminal.log(fault);
  if (faults.length === 0) return;
  const shown = faults.length > NAMED ? `; the first ${NAMED} are named above` : '';
  cli.fail(
    new AsMlpError('input', {
      where: flags.data,
      what: `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}${shown}`,
      fix: 'Mend or remove these images and labels; --json lists all of them',
    }),
  );
}

function describeParts(parts: readonly PartReport[]): string {
  const spread = ({ min, median, max }: PartReport['height']) => `${min} / ${median} / ${max}`;
  const rows = parts.map((part) => [
    part.split,
    ...[part.images, part.objects, part.empty].map((count) => count.toLocaleString('en')),
    spread(part.width),
    spread(part.height),
    String(part.faults.length),
  ]);
  const header = ['part', 'images', 'objects', 'images without', 'width min/median/max', 'height', 'faults'];
  const names = [...new Set(parts.flatMap(({ classes }) => classes.map(({ name }) => name)))];
  const counts = names.map((name) => [
    name,
    ...parts.flatMap(({ classes }) => {
      const found = classes.find((one) => one.name === name);
      return [found?.images ?? 0, found?.objects ?? 0].map((count) => count.toLocaleString('en'));
    }),
  ]);
  const columns = parts.flatMap(({ split }) => [`${split} images`, `${split} objects`]);
  return `${formatTable(header, rows)}\n${formatTable(['class', ...columns], counts)}`;
}
