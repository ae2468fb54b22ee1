import type { InputSpec, Mode } from '@as-mlp/nn';
import type { Task } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';
import { BOX_CELLS, BOX_STAGES, MASK_CELLS } from '../config.ts';
import type { DetectionModel } from '../model.ts';
import { roiAlignOp } from '../roi/roi-align-op.ts';
import { RPN_ANSWER, stageAnswer, takeAnswer } from './answers.ts';
import { boxHeadLosses, maskHeadLoss } from './roi-losses.ts';
import { joinLevels, rpnLosses } from './rpn-losses.ts';
import type { TrainingSettings } from './settings.ts';

/** What a compiled training step is given of every batch: the images. */
export const DETECTION_INPUTS = [
  { shape: ['batch', 'height', 'width', 3] },
] as const satisfies readonly InputSpec[];

/** The sum of {@link detectionLosses}, which is to be differentiated, and its parts, as a task gives them. */
export function lossOf(model: DetectionModel, settings: TrainingSettings): Task<unknown>['loss'] {
  return ([images], mode) => {
    const parts = detectionLosses(model, images as tf.Tensor4D, settings, mode);
    return { total: tf.addN(Object.values(parts)) as tf.Scalar, parts };
  };
}

/**
 * The weighted losses of one batch under their official names: `loss_rpn_cls`, `loss_rpn_bbox`, `loss_cls`, `loss_bbox`,
 * `loss_mask`; for Cascade Mask R-CNN the last three once a stage, as `s0.loss_cls`, …. Their sum is to be differentiated.
 *
 * @param images `[B, H, W, 3]` normalised, padded to one size.
 * @param mode asks `detectionHost` what the losses look at.
 */
export function detectionLosses(
  model: DetectionModel,
  images: tf.Tensor4D,
  settings: TrainingSettings,
  mode: Mode,
): Record<string, tf.Scalar> {
  const { maps, rpn } = model.dense(images, mode);
  const ask = mode.ask!;
  const answers = ask(rpn.flatMap(({ logits, deltas }) => [logits, deltas]));
  const dense = rpnLosses(joinLevels(rpn), takeAnswer(RPN_ANSWER, answers), settings.rpn.boxLoss);
  const losses: Record<string, tf.Scalar> = { loss_rpn_cls: dense.classes, loss_rpn_bbox: dense.boxes };
  const strides = model.neck.strides.slice(0, -1);
  const cut = (rois: tf.Tensor, cells: number) =>
    roiAlignOp(maps.slice(0, -1), strides, rois as tf.Tensor2D, cells);
  settings.stages.forEach(({ weight }, i) => {
    const answer = takeAnswer(stageAnswer(i), answers);
    const output = model.boxHeads[i]!.forward(cut(answer.rois, BOX_CELLS), mode);
    const std = BOX_STAGES[model.config.architecture][i]!;
    const box = boxHeadLosses(output, answer, std, settings.boxLoss);
    const mask = maskHeadLoss(model.maskHeads[i]!.forward(cut(answer.maskRois, MASK_CELLS), mode), answer);
    const prefix = settings.stages.length > 1 ? `s${i}.` : '';
    const parts = { loss_cls: box.classes, loss_bbox: box.boxes, loss_mask: mask };
    for (const [name, value] of Object.entries(parts)) losses[prefix + name] = tf.mul(value, weight);
    if (i + 1 < settings.stages.length) answers.push(...ask([output.logits, output.deltas]));
  });
  return losses;
}
