import { join } from 'node:path';
import {
  outputFolder,
  type PredictFlags,
  type Predictor,
  predictVerb,
  type WeightFlags,
  weightOptions,
  writeLabels,
} from '@as-mlp/app';
import type { Segmentation } from '@as-mlp/segmentation';
import { describeClasses, drawSegmentation } from './colours.ts';
import { segmentOptions, type ViewFlags, viewOptions } from './views.ts';
import { openSegmenter } from './weights.ts';

type Flags = PredictFlags & WeightFlags & ViewFlags;

/** Where label maps lie in the folder of `--out`. */
const LABELS = 'labels';

/** `predict`: the class of every pixel of each image, as a label map and as a picture. */
export const predict = predictVerb<Segmentation, Flags>({
  batch: { help: 'images that are read ahead; the network takes one at a time', standard: 4 },
  alsoIn: LABELS,
  addOptions: (command) => void viewOptions(weightOptions(command)),
  async open(flags, engine): Promise<Predictor<Segmentation>> {
    const segmenter = await openSegmenter(flags, engine.compile);
    const { palette, notes } = segmenter;
    const options = segmentOptions(flags);
    const isLost = flags.json !== undefined && flags.out === undefined;
    return {
      notes: isLost ? [...notes, 'label maps are written into --out alone: "labels" is null'] : notes,
      showsDrawn: true,
      async predict(images) {
        const results: Segmentation[] = [];
        for (const image of images) results.push(await segmenter.segment(image, options));
        return results;
      },
      toJson: ({ classes }) => ({ labels: null, classes }),
      toText: ({ classes, height, width }) => describeClasses(classes, height * width),
      draw: (image, result) => drawSegmentation(image, result, palette),
      async save({ height, width, labels }, folder, file) {
        await writeLabels(join(await outputFolder(join(folder, LABELS)), file), {
          height,
          width,
          data: labels,
        });
        return { labels: `${LABELS}/${file}` };
      },
      dispose: () => segmenter.dispose(),
    };
  },
});
