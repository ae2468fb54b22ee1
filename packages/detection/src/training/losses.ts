import type { Mode } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { anchors as levelAnchors } from '../boxes/anchors.ts';
import { BOX_CELLS, BOX_STAGES, MASK_CELLS } from '../config.ts';
import type { DetectionModel } from '../model.ts';
import { toRois } from '../roi/roi-align.ts';
import { roiAlignOp } from '../roi/roi-align-op.ts';
import type { Choose } from './choose.ts';
import { gatherBoxes, joinFloats } from './gather.ts';
import { trainingProposals } from './proposals.ts';
import { refineBoxes } from './refine.ts';
import { boxHeadLosses, maskHeadLoss } from './roi-losses.ts';
import { type DetectionTargets, maskTargets, type RoiTargets, roiTargets } from './roi-targets.ts';
import { joinLevels, rpnLosses } from './rpn-losses.ts';
import { type ImageExtent, rpnTargets } from './rpn-targets.ts';
import type { TrainingSettings } from './settings.ts';

/** Images of a batch and what is to be found in them. */
export interface TrainingBatch {
  /** `[B, H, W, 3]` normalised, padded to one size. */
  readonly images: tf.Tensor4D;
  readonly extents: readonly ImageExtent[];
  readonly targets: readonly DetectionTargets[];
}

/** Options of {@link detectionLosses}. */
export interface DetectionLossOptions {
  readonly settings: TrainingSettings;
  readonly mode: Mode;
  /** Chooses anchors and regions. */
  readonly choose: Choose;
  /** `[N, 4]` for each image, instead of the proposal network's own. */
  readonly proposals?: readonly Float32Array[];
}

/**
 * The weighted losses of one batch under their official names: `loss_rpn_cls`, `loss_rpn_bbox`, `loss_cls`, `loss_bbox`,
 * `loss_mask`; for Cascade Mask R-CNN the last three once a stage, as `s0.loss_cls`, …. Their sum is to be differentiated.
 *
 * What lies between the dense part and the heads (assigning, choosing, proposals) is computed outside of the tensor library,
 * without gradients, as officially.
 */
export function detectionLosses(
  model: DetectionModel,
  { images, extents, targets }: TrainingBatch,
  { settings, mode, choose, proposals }: DetectionLossOptions,
): Record<string, tf.Scalar> {
  const { maps, rpn } = model.dense(images, mode);
  const { strides } = model.neck;
  const grids = maps.map(({ shape }, i) => ({ height: shape[1], width: shape[2], stride: strides[i]! }));
  const anchors = joinFloats(grids.map((grid) => levelAnchors(grid, grid.stride)));
  const answers = joinLevels(rpn);
  const chosen = targets.map(({ boxes }, i) =>
    rpnTargets(anchors, grids, extents[i]!, boxes, settings.rpn, choose),
  );
  const objects = targets.map(({ boxes }) => boxes);
  const dense = rpnLosses(answers, anchors, chosen, objects, settings.rpn.boxLoss);
  const losses: Record<string, tf.Scalar> = { loss_rpn_cls: dense.classes, loss_rpn_bbox: dense.boxes };
  let candidates = proposals ?? trainingProposals(answers, grids, extents, settings.proposals);
  const regions = { maps: maps.slice(0, -1), strides: strides.slice(0, -1) };
  settings.stages.forEach((stage, i) => {
    const { assigner, weight } = stage;
    const { numClasses } = model.config;
    const sampling = { assigner, sampler: settings.roiSampler };
    const rois = candidates.map((boxes, image) =>
      roiTargets(boxes, targets[image]!, numClasses, sampling, choose),
    );
    const cut = roiAlignOp(regions.maps, regions.strides, joinRois(rois, false), BOX_CELLS);
    const output = model.boxHeads[i]!.forward(cut, mode);
    const std = BOX_STAGES[model.config.architecture][i]!;
    const box = boxHeadLosses(output, stageBatch(rois, targets), std, settings.boxLoss);
    const mask = maskLoss(model, i, regions, rois, targets, extents, mode);
    const prefix = settings.stages.length > 1 ? `s${i}.` : '';
    const parts = { loss_cls: box.classes, loss_bbox: box.boxes, loss_mask: mask };
    for (const [name, value] of Object.entries(parts)) losses[prefix + name] = tf.mul(value, weight);
    if (i + 1 < settings.stages.length) candidates = refineBoxes(rois, output, std, extents, numClasses);
  });
  return losses;
}

/** `[R, 5]` regions of all images, or the positives alone. */
function joinRois(rois: readonly RoiTargets[], positivesOnly: boolean): Float32Array {
  return joinFloats(
    rois.map(({ boxes, positives }, image) =>
      toRois(positivesOnly ? boxes.subarray(0, 4 * positives) : boxes, image),
    ),
  );
}

function stageBatch(rois: readonly RoiTargets[], targets: readonly DetectionTargets[]) {
  const starts = rois.map((_, i) => rois.slice(0, i).reduce((sum, { labels }) => sum + labels.length, 0));
  return {
    labels: Int32Array.from(rois.flatMap(({ labels }) => [...labels])),
    positives: Int32Array.from(
      rois.flatMap(({ positives }, image) => Array.from({ length: positives }, (_, i) => starts[image]! + i)),
    ),
    boxes: joinFloats(rois.map(({ boxes, positives }) => boxes.subarray(0, 4 * positives))),
    goals: joinFloats(rois.map(({ objects }, image) => gatherBoxes(targets[image]!.boxes, objects))),
  };
}

function maskLoss(
  model: DetectionModel,
  stage: number,
  { maps, strides }: { maps: readonly tf.Tensor4D[]; strides: readonly number[] },
  rois: readonly RoiTargets[],
  targets: readonly DetectionTargets[],
  extents: readonly ImageExtent[],
  mode: Mode,
): tf.Scalar {
  const positives = joinRois(rois, true);
  if (positives.length === 0) {
    // Without positives the loss is 0, and so is its gradient, which the optimiser is to see all the same.
    const empty = tf.zeros([1, MASK_CELLS, MASK_CELLS, maps[0]!.shape[3]]) as tf.Tensor4D;
    return tf.mul(tf.sum(model.maskHeads[stage]!.forward(empty, mode)), 0);
  }
  const logits = model.maskHeads[stage]!.forward(roiAlignOp(maps, strides, positives, MASK_CELLS), mode);
  const labels = Int32Array.from(rois.flatMap(({ labels: all, positives: n }) => [...all.subarray(0, n)]));
  const bitmaps = joinFloats(
    rois.map((roi, image) => maskTargets(roi, targets[image]!.masks, extents[image]!.padded)),
  );
  return maskHeadLoss(logits, labels, bitmaps);
}
