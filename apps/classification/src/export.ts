import { type ExportFlags, exportVerb, type WeightFlags, weightOptions, weightSettings } from '@as-mlp/app';

type Flags = ExportFlags & WeightFlags;

/** `export`: images `[batch, height, width, 3]`, normalised, to logits `[batch, classes]`. */
export const exportClassifier = exportVerb<Flags>({
  addOptions: (command) => void weightOptions(command),
  async open(flags) {
    const { classifierForExport } = await import('@as-mlp/classification');
    return await classifierForExport(flags.weights, await weightSettings(flags));
  },
});
