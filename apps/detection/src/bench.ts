import { benchVerb } from '@as-mlp/app';
import type { TIMED } from '@as-mlp/detection';

/** `bench`: the dense part alone, and everything from pixels to boxes and masks, on random pixels. */
export const bench = benchVerb({
  description:
    'time the part without regions (dense), and a whole image with 100 boxes and masks (detect); random weights',
  defaultModel: 'mask-rcnn-as-mlp-tiny',
  defaultSize: '800,1280',
  batched: false,
  steps: ['dense', 'detect'] satisfies readonly (typeof TIMED)[number][],
  async open({ model, size }, engine) {
    const { createDetectionTimer } = await import('@as-mlp/detection');
    const timer = createDetectionTimer(model, size, engine.compile);
    return {
      run: (_batch, step) => timer.run(step as (typeof TIMED)[number]),
      dispose: () => timer.dispose(),
    };
  },
});
