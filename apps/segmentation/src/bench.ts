import { benchVerb } from '@as-mlp/app';
import type { TIMED } from '@as-mlp/segmentation';

/** `bench`: the network alone, and everything from an image to the class of each of its pixels, on random pixels. */
export const bench = benchVerb({
  description:
    'time the network alone, and everything from an image to its label map (segment); random weights',
  defaultModel: 'upernet-as-mlp-tiny',
  defaultSize: '512',
  batched: false,
  steps: ['network', 'segment'] satisfies readonly (typeof TIMED)[number][],
  async open({ model, size }, engine) {
    const { createSegmentationTimer } = await import('@as-mlp/segmentation');
    const timer = createSegmentationTimer(model, size, engine.compile);
    return {
      run: (_batch, step) => timer.run(step as (typeof TIMED)[number]),
      dispose: () => timer.dispose(),
    };
  },
});
