import { type Command, readLines, wholeNumber } from '@as-mlp/app';
import type { ClassifierOptions } from '@as-mlp/classification';

interface WeightFlags {
  readonly shiftSize?: number;
  readonly labels?: string;
}

/** Adds `--shift-size`: the one number that official weights may not show. */
export function shiftOption(command: Command): Command {
  return command.option('--shift-size <n>', 'shift size of weights that do not name it (5)', wholeNumber(1));
}

/** What the flags say of a network beside its file. */
export async function classifierOptions({ shiftSize, labels }: WeightFlags): Promise<ClassifierOptions> {
  return {
    ...(shiftSize === undefined ? {} : { shiftSize }),
    ...(labels === undefined ? {} : { labels: await readLines(labels) }),
  };
}
