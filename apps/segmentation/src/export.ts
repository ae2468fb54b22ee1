import { type ExportFlags, exportVerb, type WeightFlags, weightOptions, weightSettings } from '@as-mlp/app';

type Flags = ExportFlags & WeightFlags;

/** `export`: images `[batch, height, width, 3]`, normalised, to logits of every fourth row and column. */
export const exportSegmenter = exportVerb<Flags>({
  addOptions: (command) => void weightOptions(command),
  async open(flags) {
    const { segmenterForExport } = await import('@as-mlp/segmentation');
    return await segmenterForExport(flags.weights, await weightSettings(flags));
  },
});
