import { type WeightFlags, weightSettings } from '@as-mlp/app';
import type { Segmenter, SegmenterOptions } from '@as-mlp/segmentation';

/** The segmenter that the flags name, compiled, with what is worth knowing of it told. */
export async function openSegmenter(
  flags: WeightFlags,
  compile: SegmenterOptions['compile'],
  log: (line: string) => void = () => undefined,
): Promise<Segmenter> {
  const { loadSegmenter } = await import('@as-mlp/segmentation');
  const segmenter = await loadSegmenter(flags.weights, { ...(await weightSettings(flags)), compile });
  for (const note of segmenter.notes) log(note);
  return segmenter;
}
