import { infoVerb, isWeightFile, shiftFact, wholeNumber } from '@as-mlp/app';

interface Flags {
  readonly size?: { height: number; width: number };
  readonly classes?: number;
}

/** `info`: parameters and multiply-accumulates of a named network, or of the one in a weight file. */
export const info = infoVerb({
  addOptions: (command) => {
    command.option('--classes <n>', 'classes of a named model', wholeNumber(1), 150);
  },
  async describe(target, flags: Flags) {
    const { createSegmentationModel, inspectSegmenter, MODEL_NAMES, modelName, SegmentationModel } =
      await import('@as-mlp/segmentation');
    const file = isWeightFile(target, MODEL_NAMES) ? await inspectSegmenter(target) : undefined;
    const model = file
      ? new SegmentationModel(file.config)
      : createSegmentationModel(target, { numClasses: flags.classes ?? 150 });
    model.initializeZeros();
    const { config, backbone } = model;
    const size = flags.size ?? { height: 512, width: 2048 };
    return {
      name: file ? `${modelName(config)} in ${target}` : target,
      params: model.parameterCount(),
      parts: [
        {
          forward: (images) => model.forwardAsDefined(images as Parameters<typeof model.forwardAsDefined>[0]),
          shapes: [[1, size.height, size.width, 3]],
        },
      ],
      tallyMacs: ({ products }) => products,
      size,
      features: backbone.features,
      facts: {
        classes: config.numClasses,
        depths: config.depths.join(', '),
        'decode channels': config.channels,
        'auxiliary channels': config.auxiliaryChannels,
        'shift size': shiftFact(config.shiftSize, file?.shiftIsAssumed ?? false),
        ...(file ? { scale: `${file.preprocessing.longSide},${file.preprocessing.shortSide}` } : {}),
        ...(file?.labels ? { 'class names': file.labels.slice(0, 12).join(', ') } : {}),
      },
    };
  },
});
