import {
  captioned,
  type PredictFlags,
  type Predictor,
  percent,
  predictVerb,
  type WeightFlags,
  weightOptions,
  weightSettings,
  wholeNumber,
} from '@as-mlp/app';
import type { Prediction } from '@as-mlp/classification';

interface Flags extends PredictFlags, WeightFlags {
  readonly topK: number;
}

/** `predict`: the best classes of each image. */
export const predict = predictVerb<readonly Prediction[], Flags>({
  addOptions: (command) => {
    weightOptions(command).option('--top-k <n>', 'classes to give for each image', wholeNumber(1), 5);
  },
  async open(flags, engine): Promise<Predictor<readonly Prediction[]>> {
    const { loadClassifier } = await import('@as-mlp/classification');
    const classifier = await loadClassifier(flags.weights, {
      ...(await weightSettings(flags)),
      compile: engine.compile,
    });
    return {
      notes: classifier.notes,
      predict: (images) => classifier.classify(images, { topK: flags.topK }),
      toJson: (predictions) => ({ predictions }),
      toText: ([best]) => `${best!.label} ${percent(best!.score)}`,
      draw: (image, predictions) =>
        captioned(
          image,
          predictions.map(({ label, score }) => ({ text: `${percent(score)}  ${label}`, share: score })),
        ),
      dispose: () => classifier.dispose(),
    };
  },
});
