import { join } from 'node:path';
import { contactSheet, type Tile } from '@as-mlp/data';
import type { Engine } from '@as-mlp/engine';
import type { Plan, TrainingData } from '@as-mlp/train';
import { annotated } from './annotate.ts';
import type { Cli } from './cli.ts';
import { lineChart, sparkline } from './line-chart.ts';
import { outputFolder, writePicture, writeText } from './outputs.ts';
import { formatTable } from './table.ts';
import { formatSeconds } from './terminal.ts';
import type { Training } from './training.ts';

const TILE = 240;
const MOST_TILES = 64;
const COLUMNS = 60;
const UPDATES = 3;

/**
 * Shows what a training would be: recipe, data, learning rates, the first batch, and after three real updates, whose weights are
 * thrown away, how long it would take. Pictures go to `out/dry-run`; a later training may use `out`.
 */
export async function dryRun<Batch>(
  { task, data, recipe }: Training<Batch>,
  out: string,
  engine: Engine,
  { terminal, signal }: Cli,
): Promise<void> {
  const { planTraining, rehearse } = await import('@as-mlp/train');
  try {
    const plan = planTraining(recipe, data.batchesPerEpoch);
    const folder = await outputFolder(join(out, 'dry-run'));
    terminal.out(`recipe: ${JSON.stringify(recipe, null, 2)}\n`);
    terminal.out(describeData(data));
    await writeText(join(folder, 'lr.svg'), lrChart(plan));
    terminal.out(describeRates(plan));
    signal.throwIfAborted();
    const { batch, results, secondsPerUpdate, seconds } = await rehearse(task, data, recipe, engine, UPDATES);
    const tiles = await tilesOf(data, batch);
    if (tiles.length > 0) {
      await writePicture(join(folder, 'batch.png'), await contactSheet(tiles, { tileSize: TILE }));
    }
    const losses = results.map(({ loss }) => loss.toFixed(4)).join(', ');
    const evaluations = plan.evaluationsAfter(0);
    terminal.out(`losses of the first updates: ${losses}\n`);
    terminal.out(
      `${plan.totalUpdates} updates of ${secondsPerUpdate.toFixed(2)} s: ${formatSeconds(seconds)}, ` +
        `and ${evaluations} ${evaluations === 1 ? 'evaluation' : 'evaluations'}\n`,
    );
    terminal.out(`learning rates${tiles.length > 0 ? ' and first batch' : ''}: ${folder}\n`);
  } finally {
    task.model.dispose();
  }
}

function describeData<Batch>(data: TrainingData<Batch>): string {
  const summary = data.summary?.();
  const batches = `${data.batchesPerEpoch.toLocaleString('en')} batches an epoch`;
  if (!summary) return `data: ${batches}\n`;
  const { training, validation, classes } = summary;
  const names = classes.slice(0, 12).join(', ') + (classes.length > 12 ? ', …' : '');
  return (
    `data: ${training.toLocaleString('en')} training images in ${batches}, ` +
    `${validation.toLocaleString('en')} validation images, ${classes.length} classes (${names})\n`
  );
}

/** A row of bars, and the rates where an epoch or a tenth of the training begins. */
function describeRates({ totalUpdates, updatesPerEpoch, learningRate }: Plan): string {
  const at = (part: number) => Math.min(totalUpdates - 1, Math.floor(part * totalUpdates));
  const columns = Math.min(COLUMNS, totalUpdates);
  const bars = Array.from({ length: columns }, (_, i) => learningRate(at(i / columns)));
  const steps = [...new Set(Array.from({ length: 11 }, (_, i) => at(i / 10)))];
  const rows = steps.map((step) => [
    String(step + 1),
    String(Math.floor(step / updatesPerEpoch) + 1),
    learningRate(step).toExponential(3),
  ]);
  return `learning rate: ${sparkline(bars)}\n${formatTable(['update', 'epoch', 'rate'], rows)}`;
}

function lrChart({ totalUpdates, learningRate }: Plan): string {
  const count = Math.min(totalUpdates, 500);
  const points = Array.from({ length: count }, (_, i) => {
    const step = count < 2 ? 0 : Math.round((i / (count - 1)) * (totalUpdates - 1));
    return [step + 1, learningRate(step)] as const;
  });
  const lines = [{ name: 'learning rate', points }];
  return lineChart({ title: 'Learning rate', x: 'update', y: 'rate', lines });
}

async function tilesOf<Batch>(data: TrainingData<Batch>, batch: Batch): Promise<Tile[]> {
  const tiles: Tile[] = [];
  for (const { image, caption, objects } of (data.preview?.(batch) ?? []).slice(0, MOST_TILES)) {
    tiles.push({ image: objects ? await annotated(image, objects, { side: TILE }) : image, caption });
  }
  return tiles;
}
