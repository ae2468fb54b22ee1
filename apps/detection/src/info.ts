import { infoVerb, isWeightFile, shiftFact, wholeNumber } from '@as-mlp/app';

interface Flags {
  readonly size?: { height: number; width: number };
  readonly classes?: number;
}

/** `info`: parameters and multiply-accumulates of a named detector, or of the one in a weight file. */
export const info = infoVerb({
  addOptions: (command) => {
    command.option('--classes <n>', 'classes of a named model', wholeNumber(1), 80);
  },
  async describe(target, flags: Flags) {
    const { countedParts, createDetectionModel, DetectionModel, inspectDetector, MODEL_NAMES, modelName } =
      await import('@as-mlp/detection');
    const file = isWeightFile(target, MODEL_NAMES) ? await inspectDetector(target) : undefined;
    const model = file
      ? new DetectionModel(file.config)
      : createDetectionModel(target, { numClasses: flags.classes ?? 80 });
    model.initializeZeros();
    const { config, backbone } = model;
    const size = flags.size ?? { height: 800, width: 1280 };
    return {
      name: file ? `${modelName(config)} in ${target}` : target,
      params: model.parameterCount(),
      parts: countedParts(model, size),
      tallyMacs: ({ products }) => products,
      size,
      features: backbone.features,
      facts: {
        'counted regions': '1000 boxes, 100 masks',
        classes: config.numClasses,
        depths: config.depths.join(', '),
        'shift size': shiftFact(config.shiftSize, (file?.notes.length ?? 0) > 0),
        ...(file ? { scale: `${file.preprocessing.longSide},${file.preprocessing.shortSide}` } : {}),
        ...(file?.labels ? { 'class names': file.labels.slice(0, 12).join(', ') } : {}),
      },
    };
  },
});
