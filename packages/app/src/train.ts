import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import type { Frozen, OverfitWatch, Progress } from '@as-mlp/train';
import type { Command } from 'commander';
import type { Cli, Verb } from './cli.ts';
import { dryRun } from './dry-run.ts';
import {
  addComputeOptions,
  applySettings,
  collect,
  type EngineFlags,
  positiveNumber,
  wholeNumber,
} from './options.ts';
import type { ProgressLine } from './terminal.ts';
import type { Training } from './training.ts';

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
  readonly dryRun?: boolean;
  readonly overfit?: number;
  readonly detectAnomaly?: boolean;
}

/** What a task brings to `train`. */
export interface TrainTask<Batch, F extends TrainFlags> {
  addOptions?(command: Command): void;
  /** The settings to start from, before the flags are applied. */
  preset(flags: F): Promise<Record<string, unknown>>;
  /** Settings without augmentation and without what else keeps a network from learning images by heart; for `--overfit`. */
  plain?(settings: Record<string, unknown>): Record<string, unknown>;
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
    const command = addTrainingOptions(
      program.command('train').description('train on a labelled data set'),
      task,
    )
      .option('--resume', 'go on from the last checkpoint in --out')
      .option('--dry-run', 'show recipe, learning rates, data, the first batch and how long it would take')
      .option('--overfit <n>', 'see whether so many images can be learnt by heart', wholeNumber(1))
      .option('--detect-anomaly', 'stop at the first layer that gives NaN or infinite values; slow');
    addComputeOptions(command).action((flags: F) => train(task, flags, cli));
  };
}

/** Adds what `train` and its relatives have in common. */
export function addTrainingOptions<Batch, F extends TrainFlags>(
  command: Command,
  task: TrainTask<Batch, F>,
): Command {
  command
    .requiredOption('--data <folder>', 'the data set')
    .requiredOption('--out <folder>', 'the run folder')
    .option('--model <name>', 'the architecture')
    .option('--weights <file>', 'start from these weights; a head with other classes starts anew')
    .option('--epochs <n>', 'passes over the training images', wholeNumber(1))
    .option('--batch <n>', 'images in a batch', wholeNumber(1))
    .option('--lr <rate>', 'peak learning rate', positiveNumber)
    .option('--seed <n>', 'everything random follows from it', wholeNumber(0))
    .option('--set <path=value>', 'any other setting of the recipe, e.g. schedule.warmupEpochs=1', collect);
  task.addOptions?.(command);
  return command;
}

async function train<Batch, F extends TrainFlags>(
  task: TrainTask<Batch, F>,
  flags: F,
  cli: Cli,
): Promise<void> {
  const { terminal } = cli;
  const { createOverfitWatch, fit, freezeModules, judgedByLoss, overfit } = await import('@as-mlp/train');
  const { createTrainingReport } = await import('./report/training-report.ts');
  const settings = await settingsOf(task, flags);
  const engine = await cli.openEngine(flags);
  let progress: ProgressLine | undefined;
  let updates = 0;
  const onEvaluation = (done: number, total: number) =>
    progress?.update(updates, `evaluation ${done}/${total}`);
  const prepared = await task.prepare(settings, flags, onEvaluation);
  const { recipe } = prepared;
  const frozen = freezeModules(prepared.task.model, recipe.freeze);
  if (flags.dryRun) return await dryRun(prepared, flags.out, engine, cli);
  const overfits = flags.overfit === undefined ? 0 : Math.ceil(flags.overfit / recipe.batchSize);
  const few = overfits ? await overfit(prepared.data, overfits) : undefined;
  const data = few ?? prepared.data;
  const learning = few ? judgedByLoss(prepared.task, few, recipe) : prepared.task;
  const watch = overfits ? createOverfitWatch(overfits) : undefined;
  const learnt = new AbortController();
  const signal = AbortSignal.any([cli.signal, learnt.signal]);
  terminal.log(
    `training ${learning.model.parameterCount().toLocaleString('en')} parameters${describeFrozen(frozen)}, ` +
      `${recipe.epochs} epochs of ${data.batchesPerEpoch} batches of ${recipe.batchSize}; run folder: ${flags.out}`,
  );
  if (watch) {
    terminal.log(
      `overfitting: the same ${overfits * recipe.batchSize} images again and again, unvaried where the task can`,
    );
  }
  const { out: folder, data: source } = flags;
  const report = await createTrainingReport({ folder, source, recipe, task: learning, data });
  try {
    const result = await fit(
      learning,
      data,
      recipe,
      { folder, resume: flags.resume ?? false, engine, detectAnomaly: flags.detectAnomaly },
      {
        signal,
        on: {
          notice: terminal.log,
          progress: (now) => {
            progress ??= terminal.progress('train', now.totalSteps, 'updates');
            updates = now.step;
            progress.update(now.step, progressNote(now));
            if (watch?.add(now.loss)) learnt.abort();
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
    if (watch && !cli.signal.aborted) return reportOverfit(watch, learnt.signal.aborted, result.step, cli);
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
  } catch (error) {
    // Where the report cannot be written either, the first error is the one to show.
    if (updates > 0) await report.end(`failed after update ${updates}: ${error}`).catch(() => undefined);
    throw error;
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

/** `, 1,234 of them frozen (backbone.patch_embed: 4 tensors)`, or nothing. */
function describeFrozen(frozen: readonly Frozen[]): string {
  if (frozen.length === 0) return '';
  const parts = frozen.map(({ pattern, parameters }) => `${pattern}: ${parameters.length} tensors`);
  return `, frozen: ${parts.join(', ')}`;
}

function reportOverfit({ first, last }: OverfitWatch, reached: boolean, step: number, cli: Cli): void {
  const way = `loss ${first.toFixed(4)} at first, ${last.toFixed(4)} after ${step} updates`;
  if (reached) {
    cli.terminal.out(`learnt by heart: ${way}\n`);
    return;
  }
  cli.fail(
    new AsMlpError('input', {
      where: '--overfit',
      what: `the images were not learnt by heart: ${way}`,
      fix: 'Give it more --epochs or another --lr (lr-find suggests one); else look for wrong labels (check-data) or layers without gradients',
    }),
  );
}

/** The recipe's settings: of the run that goes on, else the preset; then the flags. */
export async function settingsOf<Batch, F extends TrainFlags>(
  task: TrainTask<Batch, F>,
  flags: F,
): Promise<Record<string, unknown>> {
  const saved = join(flags.out, 'recipe.json');
  const base = flags.resume && existsSync(saved) ? readRecipe(saved) : await task.preset(flags);
  const { model, epochs, batch, lr, seed, overfit, set = [] } = flags;
  const named = Object.entries({ model, epochs, batchSize: batch, lr, seed }).filter(
    ([, value]) => value !== undefined,
  );
  const settings = applySettings({ ...base, ...Object.fromEntries(named) }, overfit === undefined ? set : []);
  if (overfit === undefined) return settings;
  if (flags.resume) {
    throw new AsMlpError('usage', {
      where: '--overfit',
      what: 'such a run cannot be resumed',
      fix: 'Start it anew in another folder',
    });
  }
  const { OVERFIT_SETTINGS } = await import('@as-mlp/train');
  const plain = { ...settings, ...OVERFIT_SETTINGS };
  const size = typeof settings.batchSize === 'number' ? Math.min(settings.batchSize, overfit) : overfit;
  return applySettings({ ...(task.plain?.(plain) ?? plain), batchSize: size }, set);
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
