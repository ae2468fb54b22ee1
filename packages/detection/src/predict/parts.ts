import type { Size } from '@as-mlp/data';
import type { TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';

import { BOX_CELLS, MASK_CELLS } from '../config.ts';
import type { DetectionModel } from '../model.ts';

/**
 * What does not depend on regions: `[B, H, W, 3]` → the maps P2 … P5, `[B, h, w, C]`, then logits `[B, h, w, 3]` and
 * deltas `[B, h, w, 12]` of the proposal network for each of P2 … P6.
 */
export function densePart(model: DetectionModel): TensorFunction {
  return (images) =>
    tf.tidy(() => {
      const { maps, rpn } = model.dense(images as tf.Tensor4D);
      return [...maps.slice(0, -1), ...rpn.flatMap(({ logits, deltas }) => [logits, deltas])];
    });
}

/** Box head `stage`: `[N, 7, 7, C]` → logits `[N, K + 1]` and deltas `[N, 4 · K]`. */
export function boxPart(model: DetectionModel, stage: number): TensorFunction {
  return (regions) => {
    const { logits, deltas } = model.boxHeads[stage]!.forward(regions as tf.Tensor4D);
    return [logits, deltas];
  };
}

/** The mean probabilities of the mask heads: `[N, 14, 14, C]` → `[N, 28, 28, K]`. */
export function maskPart(model: DetectionModel): TensorFunction {
  return (regions) => meanMasks(model, regions as tf.Tensor4D, (logits) => logits);
}

/** The same for one class each, `[N, K]` with a one at it: `[N, 14, 14, C]` → `[N, 28, 28]`. */
export function chosenMaskPart(model: DetectionModel): TensorFunction {
  return (regions, classes) => {
    const { numClasses } = model.config;
    return meanMasks(model, regions as tf.Tensor4D, (logits) =>
      tf.sum(tf.mul(logits, tf.reshape(classes!, [-1, 1, 1, numClasses])), 3),
    );
  };
}

function meanMasks(
  { maskHeads }: DetectionModel,
  regions: tf.Tensor4D,
  choose: (logits: tf.Tensor4D) => tf.Tensor,
): tf.Tensor {
  return tf.tidy(() => {
    const masks = maskHeads.map((head) => tf.sigmoid(choose(head.forward(regions))));
    return tf.div(
      masks.reduce((a, b) => tf.add(a, b)),
      masks.length,
    );
  });
}

/** Regions that published counts of multiply-accumulates take for one image. */
const COUNTED = { boxes: 1000, masks: 100 } as const;

/**
 * What one image of `size` goes through in published counts of multiply-accumulates: the dense part, 1000 regions through
 * every box head, 100 through every mask head.
 */
export function countedParts(
  model: DetectionModel,
  { height, width }: Size,
): { forward: TensorFunction; shapes: readonly (readonly number[])[] }[] {
  const { channels } = model.config;
  const regions = (count: number, cells: number) => [[count, cells, cells, channels]];
  return [
    { forward: densePart(model), shapes: [[1, height, width, 3]] },
    ...model.boxHeads.map((_, stage) => ({
      forward: boxPart(model, stage),
      shapes: regions(COUNTED.boxes, BOX_CELLS),
    })),
    { forward: maskPart(model), shapes: regions(COUNTED.masks, MASK_CELLS) },
  ];
}
