import { createRng } from '@as-mlp/base';
import type { Size } from '@as-mlp/data';
import type { Compile } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { createDetectionModel } from './model.ts';
import { OFFICIAL_DETECTIONS } from './predict/choose-detections.ts';
import { detectObjects } from './predict/detect.ts';
import { createNetwork } from './predict/network.ts';
import { COCO_PREPROCESSING, canvasSize, prepareImage } from './predict/preprocess.ts';

/** What is timed: the part that does not depend on regions, and everything from pixels to boxes and masks. */
export const TIMED = ['dense', 'detect'] as const;

/** A detector to be timed on one image of random pixels. */
export interface DetectionTimer {
  run(step: (typeof TIMED)[number]): Promise<void>;
  dispose(): void;
}

/** How far the logit of one class is raised, so that random weights find as much of it as an image may hold. */
const RAISED = 4;

/**
 * A freshly initialised detector, compiled by `compile`, on an image of `size` that is not resized. Random weights find
 * nothing; one class is therefore made likelier than all others, so that `detect` gives 100 boxes with masks, as a crowded
 * photo does.
 */
export function createDetectionTimer(name: string, size: Size, compile?: Compile): DetectionTimer {
  const model = createDetectionModel(name);
  for (const [key, parameter] of model.namedTensors()) {
    if (!key.endsWith('fc_cls.bias')) continue;
    const raised = tf.tensor1d(
      Float32Array.from({ length: parameter.size }, (_, i) => (i === 0 ? RAISED : 0)),
    );
    parameter.value.assign(raised);
    raised.dispose();
  }
  const network = createNetwork(model, { compile, release: true });
  const canvas = canvasSize(size);
  const sides = [canvas.height, canvas.width];
  const preprocessing = {
    ...COCO_PREPROCESSING,
    shortSide: Math.min(...sides),
    longSide: Math.max(...sides),
  };
  const rng = createRng(0);
  const data = Uint8Array.from({ length: canvas.height * canvas.width * 3 }, () => rng.int(256));
  const image = { ...canvas, data };
  const { values } = prepareImage(image, preprocessing);
  const options = { ...OFFICIAL_DETECTIONS, masks: true };
  return {
    async run(step) {
      if (step === 'dense') await network.dense(values, canvas);
      else await detectObjects(network, model.config, prepareImage(image, preprocessing), options);
    },
    dispose() {
      void network.dispose();
      model.dispose();
    },
  };
}
