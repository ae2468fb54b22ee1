import { type ExportFlags, exportVerb } from '@as-mlp/app';
import { classifierOptions, shiftOption } from './weights.ts';

interface Flags extends ExportFlags {
  readonly shiftSize?: number;
  readonly labels?: string;
}

/** `export`: images `[batch, height, width, 3]`, normalised, to logits `[batch, classes]`. */
export const exportClassifier = exportVerb<Flags>({
  addOptions: (command) => {
    shiftOption(command).option('--labels <file>', 'class names, one a line, in the order of the outputs');
  },
  async open(flags) {
    const { classifierForExport } = await import('@as-mlp/classification');
    return await classifierForExport(flags.weights, await classifierOptions(flags));
  },
});
