import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { abs } from './elementwise.ts';

/** What becomes of the losses of the elements. */
export type Reduction = 'mean' | 'sum' | 'none';

/** Options shared by all losses. */
export interface LossOptions<R extends Reduction = 'mean'> {
  /** Default `mean`. */
  readonly reduction?: R;
  /** With `mean`: divide the sum by this (number or scalar) instead of by the number of elements. */
  readonly averageFactor?: number | tf.Scalar;
  /** Factor of each element's loss; broadcasts against it. A constant: no gradient flows to it. */
  readonly weight?: tf.Tensor;
}

/** A scalar, or one loss per element when nothing is reduced. */
export type Loss<R extends Reduction> = R extends 'none' ? tf.Tensor : tf.Scalar;

/**
 * Weight and reduce the losses of the elements. The mean of no elements is NaN, as in PyTorch; with an
 * `averageFactor` it is 0.
 *
 * @throws AsMlpError (usage) for an `averageFactor` without `mean`.
 */
export function reduceLoss<R extends Reduction = 'mean'>(
  losses: tf.Tensor,
  { reduction, averageFactor, weight }: LossOptions<R>,
): Loss<R> {
  if (averageFactor !== undefined && (reduction ?? 'mean') !== 'mean') {
    throw new AsMlpError('usage', {
      what: `averageFactor was given with the reduction "${reduction}"`,
      fix: 'Leave one of the two out',
    });
  }
  return tf.tidy(() => {
    const weighted = weight ? tf.mul(losses, weight) : losses;
    if (reduction === 'none') return weighted;
    const sum = tf.sum(weighted);
    if (reduction === 'sum') return sum;
    return tf.div(sum, averageFactor ?? weighted.size);
  }) as Loss<R>;
}

/** |prediction − target| of each element, reduced. Both of one shape. */
export function l1Loss<R extends Reduction = 'mean'>(
  prediction: tf.Tensor,
  target: tf.Tensor,
  options: LossOptions<R> = {},
): Loss<R> {
  assertSameShape('l1Loss', prediction, target);
  return tf.tidy(() => reduceLoss(abs(tf.sub(prediction, target)), options));
}

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options<R extends Reduction = 'mean'> extends LossOptions<R> {
  /** Where the parabola meets the line, > 0. Default 1. */
  readonly beta?: number;
}

/**
 * d²/2β for |d| < β, else |d| − β/2, where d = prediction − target (Girshick, 2015), reduced. Both of one shape.
 *
 * @throws AsMlpError (usage) for β ≤ 0.
 */
export function smoothL1Loss<R extends Reduction = 'mean'>(
  prediction: tf.Tensor,
  target: tf.Tensor,
  { beta = 1, ...options }: SmoothL1Options<R> = {},
): Loss<R> {
  assertSameShape('smoothL1Loss', prediction, target);
  if (!(beta > 0)) {
    throw new AsMlpError('usage', {
      what: `smoothL1Loss was given beta ${beta}`,
      fix: 'Use l1Loss for beta 0',
    });
  }
  return tf.tidy(() => {
    const difference = tf.sub(prediction, target);
    const losses = customGradient([difference], {
      // With m = min(|d|, β) both branches are m·(|d| − m/2)/β, which needs no selection.
      value: () => {
        const magnitude = tf.abs(difference);
        const inner = tf.minimum(magnitude, beta);
        return tf.mul(tf.mul(inner, tf.sub(magnitude, tf.mul(inner, 0.5))), 1 / beta);
      },
      saved: [difference],
      gradient: (dy, [d]) => [tf.mul(dy, tf.clipByValue(tf.mul(d!, 1 / beta), -1, 1))],
    });
    return reduceLoss(losses, options);
  });
}

/**
 * Cross entropy of independent yes/no predictions, −t·log σ(x) − (1 − t)·log(1 − σ(x)), in the form that does not
 * overflow: max(x, 0) − x·t + log(1 + e^−|x|). `targets` in [0, 1], of the shape of `logits`, constants.
 */
export function binaryCrossEntropyWithLogits<R extends Reduction = 'mean'>(
  logits: tf.Tensor,
  targets: tf.Tensor,
  options: LossOptions<R> = {},
): Loss<R> {
  assertSameShape('binaryCrossEntropyWithLogits', logits, targets);
  return tf.tidy(() => {
    const losses = customGradient([logits], {
      value: () => {
        const overflowFree = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
        return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, targets)), overflowFree);
      },
      saved: [logits, targets],
      gradient: (dy, [x, t]) => [tf.mul(dy, tf.sub(tf.sigmoid(x!), t!))],
    });
    return reduceLoss(losses, options);
  });
}

/** @throws AsMlpError (input) unless both tensors have one shape: broadcasting here is nearly always a mistake. */
export function assertSameShape(what: string, prediction: tf.Tensor, target: tf.Tensor): void {
  if (prediction.shape.join() !== target.shape.join()) {
    throw new AsMlpError('input', {
      what: `${what} was given a prediction of shape [${prediction.shape}] and a target of shape [${target.shape}]`,
      fix: 'Give both the same shape',
    });
  }
}
