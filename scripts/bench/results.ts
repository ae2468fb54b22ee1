import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { describeIoError, writeFileAtomic } from '@as-mlp/base/node';
import type { BenchOptions } from './arguments.ts';
import { barChart } from './chart.ts';
import type { About, Figures } from './figures.ts';
import { formatReport, labelOf } from './report.ts';

/** Between these lines a document holds the tables. */
const MARKERS = ['<!-- figures: begin -->', '<!-- figures: end -->'] as const;

/** What an earlier run of the same network on the same processor left, which `--only` adds to. */
export async function earlierFigures(out: string, now: About): Promise<Partial<Figures>> {
  const text = await readFile(join(out, 'bench.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  const found = JSON.parse(text) as Figures;
  const keys = ['model', 'side', 'processor', 'processors'] as const;
  return keys.every((key) => found.about[key] === now[key]) ? found : {};
}

/** Writes bench.json, bench.md and bench.svg, and what a document shows of them. `own` names this project's rows. */
export async function writeResults(
  figures: Figures,
  own: ReadonlySet<string>,
  { out, document }: BenchOptions,
): Promise<void> {
  const report = formatReport(figures);
  const chart = chartOf(figures, own);
  await mkdir(out, { recursive: true });
  await writeFileAtomic(join(out, 'bench.json'), `${JSON.stringify(figures, null, 2)}\n`);
  await writeFileAtomic(join(out, 'bench.md'), report);
  await writeFileAtomic(join(out, 'bench.svg'), chart);
  process.stdout.write(`\n${report}\nwritten to ${resolve(out)}\n`);
  if (document === undefined) return;
  const text = await readFile(document, 'utf8').catch((error: unknown) => {
    throw describeIoError(error, document, 'input');
  });
  await writeFileAtomic(document, replaceFigures(text, report, document));
  await writeFileAtomic(join(dirname(document), 'images', 'bench.svg'), chart);
}

/**
 * The document with other tables between its markers.
 *
 * @throws AsMlpError `input` when the markers are not there.
 */
export function replaceFigures(text: string, report: string, where: string): string {
  const [begin, end] = MARKERS;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    const fix = `Write ${begin} and ${end} where they belong`;
    throw new AsMlpError('input', { where, what: 'there is no place for the figures', fix });
  }
  return `${text.slice(0, from + begin.length)}\n\n${report}\n${text.slice(to)}`;
}

function chartOf({ about, inference }: Figures, own: ReadonlySet<string>): string {
  return barChart(
    (inference?.batches ?? []).map(({ batch, outcomes }) => ({
      title: `${about.model} at ${about.side}², batch ${batch}: images a second`,
      bars: outcomes.map((outcome) => ({
        label: labelOf(outcome),
        value: 1000 / outcome.p50,
        isOwn: own.has(outcome.name),
      })),
    })),
  );
}
