import type { Command } from 'commander';
import { type EngineFlags, wholeNumber } from './options.ts';
import { readLines } from './outputs.ts';

/** Options of verbs that load a network. */
export interface WeightFlags extends EngineFlags {
  readonly weights: string;
  readonly shiftSize?: number;
  readonly labels?: string;
}

/** Adds `--shift-size`, the one number that official weights may not show, and `--labels`. */
export function weightOptions(command: Command): Command {
  return command
    .option('--shift-size <n>', 'shift size of weights that do not name it (5)', wholeNumber(1))
    .option('--labels <file>', 'class names, one a line, in the order of the outputs');
}

/** What the flags say of a network beside its file; class names are read. */
export async function weightSettings({
  shiftSize,
  labels,
}: Pick<WeightFlags, 'shiftSize' | 'labels'>): Promise<{ shiftSize?: number; labels?: readonly string[] }> {
  return {
    ...(shiftSize === undefined ? {} : { shiftSize }),
    ...(labels === undefined ? {} : { labels: await readLines(labels) }),
  };
}
