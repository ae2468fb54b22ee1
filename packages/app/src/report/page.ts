import type { LoopRecipe, MainMetric, StepRecord } from '@as-mlp/train';
import { escapeHtml, formatNumber, htmlTable, scrolling } from '../html.ts';
import { formatSeconds } from '../terminal.ts';
import { plotFigure, type Series } from './plot.ts';
import type { GitState } from './provenance.ts';
import { flattened, type RunData, thinned } from './run-data.ts';
import { STYLE } from './style.ts';

/** Everything that a report says. */
export interface ReportContent {
  readonly run: RunData;
  readonly task: string;
  readonly metric: MainMetric;
  readonly recipe: LoopRecipe;
  readonly updatesPerEpoch: number;
  /** How far the training is, e.g. `finished`. */
  readonly status: string;
  readonly folder: string;
  readonly data: string;
  readonly version: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly git: GitState | undefined;
  /** SHA-256 of the best weights, when there are any. */
  readonly bestHash: string | undefined;
  /** What the last evaluation found, as HTML. */
  readonly sections: string;
}

/** Points of a line. */
const POINTS = 240;

/** The whole page: one file that needs nothing else. */
export function reportPage(content: ReportContent): string {
  const model = content.run.recipe.model;
  const name = typeof model === 'string' ? model : content.task;
  const title = `Training of ${name}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${escapeHtml(`${title} – ${content.status}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p class="lead">${escapeHtml(`${content.task} on ${content.data}; ${content.status}`)}</p>
${keyFigures(content)}
</header>
<main>
${learning(content)}
${evaluations(content)}
${content.sections}
${speed(content)}
${origin(content)}
</main>
<footer>Written by as-mlp ${escapeHtml(content.version)} on ${now()}.</footer>
</body>
</html>
`;
}

const now = () => `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`;

function bestOf({ run, metric }: ReportContent) {
  const value = (record: RunData['evaluations'][number]) => record.metrics[metric.name] ?? null;
  const best = run.evaluations.findLast((record) => record.best);
  return best ? { epoch: best.epoch, step: best.step, value: value(best) } : undefined;
}

function keyFigures(content: ReportContent): string {
  const { run, metric, recipe } = content;
  const best = bestOf(content);
  const last = run.steps.at(-1);
  const figures: [name: string, value: string, note: string][] = [
    [`best ${metric.name}`, formatNumber(best?.value), best ? `epoch ${best.epoch}` : ''],
    [
      'epochs',
      `${run.evaluations.at(-1)?.epoch ?? 0} of ${recipe.epochs}`,
      last ? `${last.step} updates` : '',
    ],
    ['time', formatSeconds(run.seconds), 'evaluations included'],
    ['speed', `${formatNumber(meanOf(run.steps.map(({ imgPerSec }) => imgPerSec)))} img/s`, 'while training'],
    ['last loss', formatNumber(last?.loss), last ? `lr ${formatNumber(last.lr)}` : ''],
  ];
  const items = figures.map(
    ([name, value, note]) =>
      `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}<small>${escapeHtml(note)}</small></dd></div>`,
  );
  return `<dl class="figures">\n${items.join('\n')}\n</dl>`;
}

/** The mean; of numbers rounded as a person reads them. */
function meanOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Number(mean.toPrecision(3));
}

/** Draws a figure of each step over the epochs. */
function stepPlots({ run: { steps }, updatesPerEpoch }: ReportContent) {
  const x = thinned(
    steps.map(({ step }) => step / updatesPerEpoch),
    POINTS,
  );
  return (title: string, pick: (record: StepRecord) => number, log = false) => {
    const series: Series = { name: title, x, y: thinned(steps.map(pick), POINTS) };
    return plotFigure({ title, x: 'epoch', series: [series], log });
  };
}

function learning(content: ReportContent): string {
  const { steps } = content.run;
  const line = stepPlots(content);
  const parts = Object.keys(steps[0]?.parts ?? {});
  const size = Math.ceil(steps.length / POINTS);
  const note = size > 1 ? `<p class="note">Each point is the mean of ${size} records of the log.</p>\n` : '';
  const partPlots = parts.map((part) => line(part, ({ parts: of }) => of[part] ?? Number.NaN, true));
  return `<section>
<h2>Learning</h2>
${note}<div class="plots">
${line('Loss', ({ loss }) => loss, true)}
${line('Learning rate', ({ lr }) => lr)}
${line('Gradient norm, before clipping', ({ gradNorm }) => gradNorm, true)}
</div>
${parts.length > 0 ? `<h3>Parts</h3>\n<div class="plots small">\n${partPlots.join('\n')}\n</div>` : ''}
</section>`;
}

function speed(content: ReportContent): string {
  const line = stepPlots(content);
  return `<section>
<h2>Speed and memory</h2>
<div class="plots">
${line('Images a second', ({ imgPerSec }) => imgPerSec)}
${line('Waiting for data, % of the time', ({ dataWait }) => 100 * dataWait)}
${line('Memory of the process, MiB', ({ memory }) => memory.rssMiB)}
</div>
</section>`;
}

function evaluations(content: ReportContent): string {
  const { run, metric } = content;
  if (run.evaluations.length === 0) return '';
  const names = Object.keys(run.evaluations[0]!.metrics);
  const best = bestOf(content);
  const plots = names.map((name) => {
    const series: Series = {
      name,
      x: run.evaluations.map(({ epoch }) => epoch),
      y: run.evaluations.map(({ metrics }) => metrics[name] ?? Number.NaN),
    };
    const isMain = name === metric.name && best?.value != null;
    const mark = isMain
      ? { x: best.epoch, y: best.value!, label: `best: ${formatNumber(best.value)} in epoch ${best.epoch}` }
      : undefined;
    return plotFigure({ title: name, x: 'epoch', series: [series], dots: true, mark, whole: true });
  });
  const rows = run.evaluations.map(({ epoch, step, metrics, best: isBest }) => [
    String(epoch),
    step,
    ...names.map((name) => metrics[name] ?? null),
    isBest ? 'best so far' : '',
  ]);
  return `<section>
<h2>Metrics on the held-out data</h2>
<div class="plots">
${plots.join('\n')}
</div>
<h3>Each evaluation</h3>
${htmlTable('Each evaluation', ['epoch', 'updates', ...names, ''], rows)}
</section>`;
}

function origin(content: ReportContent): string {
  const { run, folder, data, version, counts, git, bestHash } = content;
  const begin = run.begins.at(-1);
  const environment = begin?.environment;
  const facts: [string, string][] = [
    ['run folder', folder],
    ['data', data],
    ...Object.entries(counts).map(([name, count]): [string, string] => [name, count.toLocaleString('en')]),
    ['best.safetensors, SHA-256', bestHash ?? 'not written yet'],
    ['as-mlp', version],
    ['engine', environment?.engine ?? '–'],
    ['processor', environment ? `${environment.processor}, ${environment.processors} threads` : '–'],
    ['Node', environment ? `${environment.node}, ${environment.platform}` : '–'],
    ['git commit', git ? `${git.commit}${git.branch ? ` on ${git.branch}` : ''}` : 'not in a git repository'],
    ...(git
      ? [['git state', git.changed === 0 ? 'clean' : `changed files: ${git.changed}`] as [string, string]]
      : []),
    ...run.begins.map(({ type, time, step }): [string, string] => [
      type === 'start' ? 'started' : 'resumed',
      `${time.slice(0, 19).replace('T', ' ')} UTC${step > 0 ? `, after update ${step}` : ''}`,
    ]),
  ];
  return `<section class="columns">
<div>
<h2>Where this comes from</h2>
${factTable('Where this comes from', facts)}
</div>
<div>
<h2>Recipe</h2>
${factTable('Recipe', flattened(run.recipe))}
</div>
</section>`;
}

function factTable(label: string, facts: readonly (readonly [name: string, value: string])[]): string {
  const rows = facts.map(
    ([name, value]) =>
      `<tr><th scope="row">${escapeHtml(name)}</th><td class="wrap"><code>${escapeHtml(value)}</code></td></tr>`,
  );
  return scrolling(label, `<table class="facts"><tbody>\n${rows.join('\n')}\n</tbody></table>`);
}
