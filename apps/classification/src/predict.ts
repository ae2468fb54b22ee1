import { captioned, type PredictFlags, type Predictor, predictVerb, wholeNumber } from '@as-mlp/app';
import type { Prediction } from '@as-mlp/classification';
import { classifierOptions, shiftOption } from './weights.ts';

interface Flags extends PredictFlags {
  readonly topK: number;
  readonly shiftSize?: number;
  readonly labels?: string;
}

const percent = (score: number) => `${(100 * score).toFixed(1)} %`;

/** `predict`: the best classes of each image. */
export const predict = predictVerb<readonly Prediction[], Flags>({
  addOptions: (command) => {
    shiftOption(command)
      .option('--top-k <n>', 'classes to give for each image', wholeNumber(1), 5)
      .option('--labels <file>', 'class names, one a line, in the order of the outputs');
  },
  async open(flags, engine): Promise<Predictor<readonly Prediction[]>> {
    const { loadClassifier } = await import('@as-mlp/classification');
    const classifier = await loadClassifier(flags.weights, {
      ...(await classifierOptions(flags)),
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
