import {
  fraction,
  type PredictFlags,
  type Predictor,
  percent,
  predictVerb,
  weightOptions,
  wholeNumber,
} from '@as-mlp/app';
import type { ImageResult } from '@as-mlp/detection';
import { drawDetections } from './marks.ts';
import { type DetectorFlags, openDetector, scaleOption } from './weights.ts';

interface Flags extends PredictFlags, DetectorFlags {
  readonly minScore: number;
  readonly maxDetections: number;
  readonly masks: boolean;
}

/** Objects that are named on the line of an image. */
const NAMED = 5;

/** `predict`: boxes, masks and labels of the objects in each image. */
export const predict = predictVerb<ImageResult, Flags>({
  batch: { help: 'images that are read ahead; the network takes one at a time', standard: 4 },
  addOptions: (command) => {
    scaleOption(weightOptions(command))
      .option('--min-score <share>', 'leave out what scores less, 0 to 1', fraction, 0.3)
      .option('--max-detections <n>', 'objects of an image at most', wholeNumber(1), 100)
      .option('--no-masks', 'boxes alone, which is faster');
  },
  async open(flags, engine): Promise<Predictor<ImageResult>> {
    const detector = await openDetector(flags, engine.compile);
    const { minScore, maxDetections, masks } = flags;
    return {
      notes: detector.notes,
      showsDrawn: true,
      async predict(images) {
        const results: ImageResult[] = [];
        for (const image of images) {
          results.push(await detector.detect(image, { minScore, maxDetections, masks }));
        }
        return results;
      },
      toJson: ({ detections }) => ({ detections }),
      toText: ({ detections }) => describe(detections),
      draw: (image, { detections }) => drawDetections(image, detections),
      dispose: () => detector.dispose(),
    };
  },
});

function describe(detections: ImageResult['detections']): string {
  if (detections.length === 0) return 'no objects';
  const named = detections.slice(0, NAMED).map(({ label, score }) => `${label} ${percent(score)}`);
  const more = detections.length > NAMED ? ', …' : '';
  return `${detections.length} object${detections.length > 1 ? 's' : ''}: ${named.join(', ')}${more}`;
}
