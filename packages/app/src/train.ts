import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import type { LoopRecipe, Progress, Task } from '@as-mlp/train';
import type { Command } from 'commander';
import type { Cli, Verb } from './cli.ts';
import {
  addEngineOptions,
  applySettings,
  collect,
  type EngineFlags,
  positiveNumber,
  wholeNumber,
} from './options.ts';
import type { ProgressLine } from './terminal.ts';

/** Options of every `train`. */
export interface TrainFlags extends EngineFlags {
  readonly data: string;
  readonly out: string;
  readonly model?: string;
  readonly weights?: string;
  readonly resume?: boolean;
  readonly epochs?: number;
  readonly batch?: number;
  readonly lr?: number;
  readonly seed?: number;
  readonly set?: readonly string[];
}

/** A training that is ready to start. */
export interface Training<Batch> {
  readonly task: Task<Batch>;
  readonly recipe: LoopRecipe;
}

/** What a task brings to `train`. */
export interface TrainTask<Batch, F extends TrainFlags> {
  addOptions?(command: Command): void;
  /** The settings to start from, before the flags are applied. */
  preset(flags: F): Promise<Record<string, unknown>>;
  /**
   * Checks the settings, opens the data and makes the model; the engine is open. `onEvaluation` is to be told how far
   * an evaluation is.
   */
  prepare(
    settings: Record<string, unknown>,
    flags: F,
    onEvaluation: (done: number, total: number) => void,
  ): Promise<Training<Batch>>;
}

/** `train --data ROOT --model NAME --out DIR [--resume] [--set path=value …]`: leaves a run folder. */
export function trainVerb<Batch, F extends TrainFlags = TrainFlags>(task: TrainTask<Batch, F>): Verb {
  return (program, cli) => {
    const command = program
      .command('train')
      .description('train on a labelled data set')
      .requiredOption('--data <folder>', 'the data set')
      .requiredOption('--out <folder>', 'the run folder')
      .option('--model <name>', 'the architecture')
      .option('--weights <file>', 'start from these weights; a head with other classes starts anew')
      .option('--resume', 'go on from the last checkpoint in --out')
      .option('--epochs <n>', 'passes over the training images', wholeNumber(1))
      .option('--batch <n>', 'images in a batch', wholeNumber(1))
      .option('--lr <rate>', 'peak learning rate', positiveNumber)
      .option('--seed <n>', 'everything random follows from it', wholeNumber(0))
      .option('--set <path=value>', 'any other setting of the recipe, e.g. schedule.warmupEpochs=1', collect);
    task.addOptions?.(command);
    addEngineOptions(command).action((flags: F) => train(task, flags, cli));
  };
}

async function train<Batch, F extends TrainFlags>(
  task: TrainTask<Batch, F>,
  flags: F,
  cli: Cli,
): Promise<void> {
  const { terminal, signal } = cli;
  const { fit } = await import('@as-mlp/train');
  const { createTrainingReport } = await import('./report/training-report.ts');
  const settings = await settingsOf(task, flags);
  const engine = await cli.openEngine(flags);
  let progress: ProgressLine | undefined;
  let updates = 0;
  const onEvaluation = (done: number, total: number) =>
    progress?.update(updates, `evaluation ${done}/${total}`);
  const { task: learning, recipe } = await task.prepare(settings, flags, onEvaluation);
  terminal.log(
    `training ${learning.model.parameterCount().toLocaleString('en')} parameters, ` +
      `${recipe.epochs} epochs of ${learning.batchesPerEpoch} batches of ${recipe.batchSize}; run folder: ${flags.out}`,
  );
  try {
    const { out: folder, data } = flags;
    const report = await createTrainingReport({ folder, data, recipe, task: learning });
    const result = await fit(
      learning,
      recipe,
      { folder: flags.out, resume: flags.resume ?? false, engine },
      {
        signal,
        on: {
          notice: terminal.log,
          progress: (now) => {
            progress ??= terminal.progress('train', now.totalSteps, 'updates');
            updates = now.step;
            progress.update(now.step, progressNote(now));
          },
          evaluation: async ({ epoch, metrics }, best) => {
            const values = Object.entries(metrics).map(
              ([name, value]) => `${name} ${value?.toFixed(4) ?? 'undefined'}`,
            );
            terminal.log(`epoch ${epoch}: ${values.join(', ')}${best ? ' (best so far)' : ''}`);
            await report.evaluated();
          },
        },
      },
    );
    progress?.stop();
    await report.end(result.completed ? 'finished' : `stopped after update ${result.step}`);
    if (!result.completed) {
      terminal.log(`stopped after update ${result.step}; go on with the same command and --resume`);
      return;
    }
    const { best } = result;
    const metric = learning.metric.name;
    terminal.out(
      `${metric} ${best?.metrics[metric]?.toFixed(4) ?? 'undefined'} (epoch ${best?.epoch ?? '–'})\n`,
    );
    terminal.out(`weights: ${join(flags.out, 'best.safetensors')}\n`);
    terminal.out(`report: ${report.path}\n`);
  } finally {
    progress?.stop();
    learning.model.dispose();
  }
}

/** `epoch 3/12, loss 0.0412, 1180 img/s, waits 2 %, 640 MiB` */
function progressNote({ epoch, epochs, loss, imgPerSec, dataWait, memory }: Progress): string {
  const pace = `${imgPerSec.toFixed(0)} img/s, waits ${(100 * dataWait).toFixed(0)} %, ${memory.rssMiB} MiB`;
  return `epoch ${epoch}/${epochs}, loss ${loss.toFixed(4)}, ${pace}`;
}

/** The recipe's settings: of the run that goes on, else the preset; then the flags. */
async function settingsOf<Batch, F extends TrainFlags>(
  task: TrainTask<Batch, F>,
  flags: F,
): Promise<Record<string, unknown>> {
  const saved = join(flags.out, 'recipe.json');
  const base = flags.resume && existsSync(saved) ? readRecipe(saved) : await task.preset(flags);
  const { model, epochs, batch, lr, seed, set = [] } = flags;
  const named = Object.entries({ model, epochs, batchSize: batch, lr, seed }).filter(
    ([, value]) => value !== undefined,
  );
  return applySettings({ ...base, ...Object.fromEntries(named) }, set);
}

function readRecipe(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new AsMlpError('input', {
      where: path,
      what: 'cannot be read as JSON',
      fix: 'Restore the file',
      cause: error,
    });
  }
}
