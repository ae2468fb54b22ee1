import { type ExportFlags, exportVerb, weightOptions } from '@as-mlp/app';
import { type DetectorFlags, detectorOptions, scaleOption } from './weights.ts';

type Flags = ExportFlags & DetectorFlags;

/** `export`: all weights in one file, or the dense part and each head as a model of its own; docs/detection.md joins them. */
export const exportDetector = exportVerb<Flags>({
  addOptions: (command) => void scaleOption(weightOptions(command)),
  async open(flags) {
    const { detectorForExport } = await import('@as-mlp/detection');
    return await detectorForExport(flags.weights, await detectorOptions(flags));
  },
});
