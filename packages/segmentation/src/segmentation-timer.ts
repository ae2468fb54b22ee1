import { createRng } from '@as-mlp/base';
import type { Size } from '@as-mlp/data';
import type { Compile } from '@as-mlp/nn';
import { createSegmentationModel } from './model.ts';
import { createNetwork } from './predict/network.ts';
import { ADE20K_PREPROCESSING, normalizePixels } from './predict/preprocess.ts';
import { segmentImage } from './predict/segment.ts';

/** What is timed: from normalised pixels to logits, and everything from an image to the class of each pixel. */
export const TIMED = ['network', 'segment'] as const;

/** A segmenter to be timed on one image of random pixels. */
export interface SegmentationTimer {
  run(step: (typeof TIMED)[number]): Promise<void>;
  dispose(): void;
}

/** A freshly initialised network, compiled by `compile`, on an image of `size` that is not resized, seen whole and once. */
export function createSegmentationTimer(name: string, size: Size, compile?: Compile): SegmentationTimer {
  const model = createSegmentationModel(name);
  const network = createNetwork(model, { compile, release: true });
  const rng = createRng(0);
  const data = Uint8Array.from({ length: size.height * size.width * 3 }, () => rng.int(256));
  const image = { ...size, data };
  const values = normalizePixels(image, ADE20K_PREPROCESSING);
  const views = [{ scale: 'none', flipped: false }] as const;
  const how = { preprocessing: ADE20K_PREPROCESSING, views };
  return {
    async run(step) {
      if (step === 'network') (await network.logits(values, size)).free();
      else await segmentImage(network, model.config.numClasses, image, how);
    },
    dispose() {
      void network.dispose();
      model.dispose();
    },
  };
}
