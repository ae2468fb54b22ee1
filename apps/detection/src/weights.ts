import { type Command, sides, type WeightFlags, weightSettings } from '@as-mlp/app';
import type { Detector, DetectorOptions } from '@as-mlp/detection';

/** Options of verbs that load a detector. */
export interface DetectorFlags extends WeightFlags {
  /** Longer and shorter side, in pixels. */
  readonly scale?: readonly [long: number, short: number];
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
export async function detectorOptions({ scale, ...flags }: DetectorFlags): Promise<DetectorOptions> {
  return {
    ...(await weightSettings(flags)),
    ...(scale ? { preprocessing: { longSide: scale[0], shortSide: scale[1] } } : {}),
  };
}

/** The detector that the flags name, compiled, with what is worth knowing of it told. */
export async function openDetector(
  flags: DetectorFlags,
  compile: DetectorOptions['compile'],
  log: (line: string) => void = () => undefined,
): Promise<Detector> {
  const { loadDetector } = await import('@as-mlp/detection');
  const detector = await loadDetector(flags.weights, { ...(await detectorOptions(flags)), compile });
  for (const note of detector.notes) log(note);
  return detector;
}
