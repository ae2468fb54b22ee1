import { infoVerb, isWeightFile, shiftFact, wholeNumber } from '@as-mlp/app';

interface Flags {
  readonly size?: { height: number; width: number };
  readonly classes?: number;
}

/** `info`: parameters and multiply-accumulates of a named model, or of the network in a weight file. */
export const info = infoVerb({
  addOptions: (command) => {
    command.option('--classes <n>', 'classes of a named model', wholeNumber(1), 1000);
  },
  async describe(target, flags: Flags) {
    const { ClassificationModel, createClassificationModel, inspectClassifier, MODEL_NAMES, modelName } =
      await import('@as-mlp/classification');
    const file = isWeightFile(target, MODEL_NAMES) ? await inspectClassifier(target) : undefined;
    const model = file
      ? new ClassificationModel(file.config)
      : createClassificationModel(target, { numClasses: flags.classes ?? 1000 });
    model.initializeZeros();
    const { config } = model;
    const side = file?.preprocessing.size ?? 224;
    const size = flags.size ?? { height: side, width: side };
    return {
      name: file ? `${modelName(config)} in ${target}` : target,
      params: model.parameterCount(),
      parts: [
        {
          forward: (images) => model.forward(images as Parameters<typeof model.forward>[0]),
          shapes: [[1, size.height, size.width, 3]],
        },
      ],
      tallyMacs: (counts) => model.officialMacs(counts, size),
      size,
      features: model.stages(),
      facts: {
        classes: config.numClasses,
        depths: config.depths.join(', '),
        'shift size': shiftFact(config.shiftSize, (file?.notes.length ?? 0) > 0),
        ...(file?.labels ? { 'class names': file.labels.slice(0, 12).join(', ') } : {}),
      },
    };
  },
});
