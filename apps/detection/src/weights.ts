import { type Command, type EngineFlags, readLines, sides, wholeNumber } from '@as-mlp/app';
import type { Detector, DetectorOptions } from '@as-mlp/detection';

/** Options of verbs that load a detector. */
export interface WeightFlags extends EngineFlags {
  readonly weights: string;
  readonly shiftSize?: number;
  readonly labels?: string;
  /** Longer and shorter side, in pixels. */
  readonly scale?: readonly [long: number, short: number];
}

/** Adds `--shift-size`, the one number that official weights may not show, and `--labels`. */
export function weightOptions(command: Command): Command {
  return command
    .option('--shift-size <n>', 'shift size of weights that do not name it (5)', wholeNumber(1))
    .option('--labels <file>', 'class names, one a line, in the order of the outputs');
}

/** Adds `--scale`. */
export function scaleOption(command: Command): Command {
  return command.option(
    '--scale <long,short>',
    'images are resized to fit into this, in pixels (1333,800, or what the weights say)',
    sides,
  );
}

/** What the flags say of a network beside its file. */
export async function detectorOptions({ shiftSize, labels, scale }: WeightFlags): Promise<DetectorOptions> {
  return {
    ...(shiftSize === undefined ? {} : { shiftSize }),
    ...(labels === undefined ? {} : { labels: await readLines(labels) }),
    ...(scale ? { preprocessing: { longSide: scale[0], shortSide: scale[1] } } : {}),
  };
}

/** The detector that the flags name, compiled, with what is worth knowing of it told. */
export async function openDetector(
  flags: WeightFlags,
  compile: DetectorOptions['compile'],
  log: (line: string) => void = () => undefined,
): Promise<Detector> {
  const { loadDetector } = await import('@as-mlp/detection');
  const detector = await loadDetector(flags.weights, { ...(await detectorOptions(flags)), compile });
  for (const note of detector.notes) log(note);
  return detector;
}
