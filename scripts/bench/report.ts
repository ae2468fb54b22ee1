import { quantile } from '@as-mlp/app';
import type { Figures, InferenceFigures, ScalingPoint } from './figures.ts';
import type { Outcome } from './rounds.ts';
import { formatSpread } from './statistics.ts';

/** All figures as Markdown tables: ratios first, times after them. */
export function formatReport(figures: Figures): string {
  const { inference, training, start, pipeline, scaling } = figures;
  const parts = [
    ...(inference?.batches.map(({ batch, outcomes }) => forwardTable(batch, outcomes, inference)) ?? []),
    ...(inference ? [gemmLines(inference)] : []),
    ...(training ? [imagesTable(`training step, batch ${training.batch}`, training.outcomes)] : []),
    ...(start ? [secondsTable('cold start to first prediction', start.prediction)] : []),
    ...(start ? [secondsTable(`loading a ${start.format}`, start.loading)] : []),
    ...(pipeline ? [imagesTable('photos to normalised values', pipeline.outcomes)] : []),
    ...(scaling ? [scalingTable(scaling.batches), scalingTable(scaling.sides)] : []),
  ];
  return `${[...parts.filter(hasRows), disturbance(figures)].join('\n\n')}\n`;
}

/** A part in which nobody could take part is left out. */
const hasRows = (part: string) => !part.startsWith('|') || part.split('\n').length > 2;

function forwardTable(batch: number, outcomes: readonly Outcome[], figures: InferenceFigures): string {
  const { gemm, flops } = figures;
  const header = [
    `forward pass, batch ${batch}`,
    ratioTitle(outcomes),
    'ms/image p50',
    'p95',
    'img/s',
    'peak MiB',
    'of GEMM rate',
  ];
  const rows = outcomes.map((outcome) => {
    if (gemm.length === 0) return [...imageCells(outcome), '–'];
    const share = (flops * 1000) / outcome.p50 / Math.max(...gemm.map(({ rate }) => rate));
    return [...imageCells(outcome), `${(100 * share).toFixed(0)} %`];
  });
  return markdownTable(header, rows);
}

function imagesTable(title: string, outcomes: readonly Outcome[]): string {
  const header = [title, ratioTitle(outcomes), 'ms/image p50', 'p95', 'img/s', 'peak MiB'];
  return markdownTable(header, outcomes.map(imageCells));
}

function secondsTable(title: string, outcomes: readonly Outcome[]): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(2);
  const rows = outcomes.map(({ ratio, p50, p95, ...outcome }) => [
    labelOf(outcome),
    formatSpread(ratio),
    seconds(p50),
    seconds(p95),
  ]);
  return markdownTable([title, ratioTitle(outcomes), 's p50', 'p95'], rows);
}

function scalingTable(points: readonly ScalingPoint[]): string {
  const rows = points.map(({ batch, side, p50, peakMiB }) => [
    `${batch}`,
    `${side}²`,
    p50.toFixed(1),
    (1000 / p50).toFixed(1),
    `${peakMiB ?? '–'}`,
  ]);
  return markdownTable(['batch', 'size', 'ms/image p50', 'img/s', 'peak MiB'], rows);
}

function gemmLines({ gemm, flops }: InferenceFigures): string {
  const rates = gemm.map(({ name, rate }) => `${name} ${(rate / 1e9).toFixed(0)} GFLOP/s`);
  const best = rates.length > 0 ? `Best matrix product: ${rates.join(', ')}. ` : '';
  return `${best}One image is ${(flops / 1e9).toFixed(2)} GFLOP.`;
}

/** What was measured, and what else ran on the machine meanwhile. */
function disturbance({ about, inference, training, start, pipeline }: Figures): string {
  const all = [
    ...(inference?.batches.flatMap(({ outcomes }) => outcomes) ?? []),
    ...(training?.outcomes ?? []),
    ...(start ? [...start.prediction, ...start.loading] : []),
    ...(pipeline?.outcomes ?? []),
  ].flatMap(({ others }) => (others ? [others.median] : []));
  const taken =
    all.length > 0
      ? `; other programs took ${(100 * quantile(all, 0.5)).toFixed(0)} % of the processors`
      : '';
  const same =
    about.difference === undefined
      ? ''
      : `; PyTorch's logits differ by at most ${about.difference.toExponential(1)}`;
  return `${about.model} at ${about.side}², ${about.processors} × ${about.processor}, Node ${about.node}, rounds: ${about.rounds}${same}${taken}.`;
}

/** The name, with what is not as it says. */
export function labelOf({ name, note }: Pick<Outcome, 'name' | 'note'>): string {
  return note === undefined ? name : `${name} (${note})`;
}

function imageCells({ ratio, p50, p95, peakMiB, ...outcome }: Outcome): string[] {
  return [
    labelOf(outcome),
    formatSpread(ratio),
    p50.toFixed(1),
    p95.toFixed(1),
    (1000 / p50).toFixed(1),
    `${peakMiB ?? '–'}`,
  ];
}

/** The row that the others are compared with is the one whose ratio never leaves 1. */
function ratioTitle(outcomes: readonly Outcome[]): string {
  const standard = outcomes.find(({ ratio }) => ratio.min === 1 && ratio.max === 1);
  return `time, ${standard?.name ?? 'first'} = 1`;
}

/** A table whose first column is text and whose others are numbers. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(header), rule, ...rows.map(line)].join('\n');
}
