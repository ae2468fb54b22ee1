import { join } from 'node:path';
import type { LoopRecipe, LrSweep } from '@as-mlp/train';
import type { Cli, Verb } from './cli.ts';
import { lineChart } from './line-chart.ts';
import { addComputeOptions, positiveNumber, wholeNumber } from './options.ts';
import { outputFolder, writeText } from './outputs.ts';
import { formatCsv } from './table.ts';
import { addTrainingOptions, settingsOf, type TrainFlags, type TrainTask } from './train.ts';

/** Options of `lr-find`. */
type LrFindFlags = TrainFlags & {
  readonly updates: number;
  readonly from: number;
  readonly to: number;
};

/** `lr-find --data ROOT --out DIR`: tries growing learning rates and suggests one; the options are those of `train`. */
export function lrFindVerb<Batch, F extends TrainFlags = TrainFlags>(task: TrainTask<Batch, F>): Verb {
  return (program, cli) => {
    const command = addTrainingOptions(
      program.command('lr-find').description('try growing learning rates for a moment and suggest one'),
      task,
    )
      .option('--updates <n>', 'updates in all', wholeNumber(2), 100)
      .option('--from <rate>', 'the first rate', positiveNumber, 1e-7)
      .option('--to <rate>', 'the last rate', positiveNumber, 1);
    addComputeOptions(command).action((flags: F & LrFindFlags) => findRate(task, flags, cli));
  };
}

async function findRate<Batch, F extends TrainFlags>(
  task: TrainTask<Batch, F>,
  flags: F & LrFindFlags,
  cli: Cli,
): Promise<void> {
  const { terminal, signal } = cli;
  const { findLearningRate, scaleLr } = await import('@as-mlp/train');
  const settings = await settingsOf(task, flags);
  const folder = await outputFolder(flags.out);
  const engine = await cli.openEngine(flags);
  const { task: learning, data, recipe } = await task.prepare(settings, flags, () => undefined);
  const { updates, from, to } = flags;
  const progress = terminal.progress('lr-find', updates, 'updates');
  try {
    const onUpdate = (done: number) => progress.update(done);
    const sweep = await findLearningRate(learning, data, recipe, engine, {
      from,
      to,
      updates,
      signal,
      onUpdate,
    });
    if (signal.aborted) return;
    progress.stop();
    // What a training is told is scaled with the images of an update before it is applied.
    const scale =
      recipe.lrBatch === null ? 1 : scaleLr(1, recipe.batchSize * recipe.accumulate, recipe.lrBatch);
    await writeText(join(folder, 'lr-find.csv'), formatCsv(rowsOf(sweep)));
    await writeText(join(folder, 'lr-find.svg'), chartOf(sweep));
    terminal.out(describeSweep(sweep, scale, recipe));
    terminal.out(`curve: ${join(folder, 'lr-find.svg')}\n`);
  } finally {
    progress.stop();
    learning.model.dispose();
  }
}

function describeSweep(
  { points, steepest, minimumOverTen, diverged }: LrSweep,
  scale: number,
  { lrBatch }: LoopRecipe,
): string {
  const last = points.at(-1);
  const end = `${diverged ? 'the loss ran away' : 'the sweep ended'} after ${points.length} updates at ${show(last?.lr)}`;
  if (steepest === undefined || minimumOverTen === undefined) {
    return `no suggestion: the loss does not fall between ${show(points[0]?.lr)} and ${show(last?.lr)}; ${end}\n`;
  }
  const line = (name: string, lr: number) => {
    const applied = lrBatch === null ? '' : ` (applied as ${show(lr)})`;
    return `${name}: --lr ${show(lr / scale)}${applied}\n`;
  };
  return `${line('steepest descent', steepest)}${line('a tenth of the minimum', minimumOverTen)}${end}\n`;
}

function show(rate: number | undefined): string {
  return rate === undefined ? 'nothing' : Number(rate.toPrecision(2)).toExponential();
}

function rowsOf({ points }: LrSweep): (readonly (string | number)[])[] {
  return [['lr', 'loss', 'smoothed'], ...points.map(({ lr, loss, smoothed }) => [lr, loss, smoothed])];
}

function chartOf({ points, steepest, minimumOverTen }: LrSweep): string {
  const marks = [
    ...(steepest === undefined ? [] : [{ x: steepest, label: 'steepest' }]),
    ...(minimumOverTen === undefined ? [] : [{ x: minimumOverTen, label: 'minimum / 10' }]),
  ];
  // A tenth of the minimum may lie before the first rate.
  const shown = marks.filter(({ x }) => x >= (points[0]?.lr ?? 0));
  return lineChart({
    title: 'Loss over learning rate',
    x: 'learning rate as applied',
    y: 'loss',
    logX: true,
    lines: [
      { name: 'loss', points: points.map(({ lr, loss }) => [lr, loss]) },
      { name: 'smoothed', points: points.map(({ lr, smoothed }) => [lr, smoothed]) },
    ],
    marks: shown,
  });
}
