import type { AsMlpError } from '@as-mlp/base';
import type { Engine } from '@as-mlp/engine';
import { type Command, Option } from 'commander';
import type { Cli, Verb } from './cli.ts';
import { addComputeOptions, type EngineFlags } from './options.ts';
import { checkTarget, outputFolder, writeJson } from './outputs.ts';
import type { ProgressLine, Terminal } from './terminal.ts';

/** Options of every `eval`. */
export interface EvaluateFlags extends EngineFlags {
  readonly data: string;
  readonly weights: string;
  readonly split: string;
  readonly json?: string;
  readonly out?: string;
}

/** The result of an evaluation, ready to be shown. */
export interface EvaluationReport {
  /** What goes into the JSON file. */
  readonly json: Record<string, unknown>;
  /** What is printed. */
  readonly text: string;
  /** Samples that could not be read. */
  readonly failures: readonly AsMlpError[];
  /** Writes tables and pictures into a folder. */
  write(folder: string): Promise<void>;
}

/** What a task brings to `eval`. */
export interface EvaluateTask<F extends EvaluateFlags> {
  /** Parts of a data set that `--split` may name; any unless given. */
  readonly splits?: readonly string[];
  addOptions?(command: Command): void;
  /** Loads network and data and evaluates. */
  evaluate(
    flags: F,
    context: {
      engine: Engine;
      signal: AbortSignal;
      log: (line: string) => void;
      onProgress: (done: number, total: number) => void;
    },
  ): Promise<EvaluationReport>;
}

/** `eval --data ROOT --weights FILE [--split val] [--json FILE|-] [--out DIR]`: the task's metrics on a labelled data set. */
export function evaluateVerb<F extends EvaluateFlags = EvaluateFlags>(task: EvaluateTask<F>): Verb {
  return (program, cli) => {
    const command = program
      .command('eval')
      .description('evaluate on a labelled data set')
      .requiredOption('--data <folder>', 'the data set')
      .requiredOption('--weights <file>', 'a .pth or .safetensors checkpoint')
      .addOption(splitOption(task.splits))
      .option('--json <file>', 'write the metrics as JSON; - is standard output')
      .option('--out <folder>', 'write the per-class table and pictures');
    task.addOptions?.(command);
    addComputeOptions(command).action((flags: F) => evaluate(task, flags, cli));
  };
}

function splitOption(splits: readonly string[] | undefined): Option {
  const option = new Option('--split <name>', 'the part to evaluate on').default('val');
  return splits ? option.choices(splits) : option;
}

async function evaluate<F extends EvaluateFlags>(task: EvaluateTask<F>, flags: F, cli: Cli): Promise<void> {
  const { terminal, signal } = cli;
  await checkTarget(flags.json);
  const folder = flags.out === undefined ? undefined : await outputFolder(flags.out);
  const engine = await cli.openEngine(flags);
  let progress: ProgressLine | undefined;
  const onProgress = (done: number, total: number) => {
    progress ??= terminal.progress('eval', total, 'images');
    progress.update(done);
  };
  const report = await task
    .evaluate(flags, { engine, signal, log: terminal.log, onProgress })
    .finally(() => progress?.stop());
  for (const failure of report.failures) cli.fail(failure);
  await presentReport(report, { json: flags.json, folder }, terminal);
}

/** Shows a report: text on standard output unless JSON goes there, JSON into a file, tables and pictures into a folder. */
export async function presentReport(
  report: Omit<EvaluationReport, 'failures'>,
  { json, folder }: { readonly json: string | undefined; readonly folder: string | undefined },
  terminal: Terminal,
): Promise<void> {
  if (json !== '-') terminal.out(report.text);
  if (json !== undefined) await writeJson(json, report.json, terminal);
  if (folder) {
    await report.write(folder);
    terminal.log(`tables and pictures: ${folder}`);
  }
}
