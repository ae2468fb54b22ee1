import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';
import { type Loss, type LossOptions, type Reduction, reduceLoss } from './losses.ts';

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions<R extends Reduction = 'mean'> extends LossOptions<R> {
  /** ε in [0, 1): targets become (1 − ε)·target + ε/K. Default 0. */
  readonly labelSmoothing?: number;
  /** Elements with this label cost nothing and get no gradient. Only with integer labels. */
  readonly ignoreIndex?: number;
  /**
   * What `mean` divides by: the elements that are not ignored (`valid`, PyTorch's rule and the default), or all
   * of them (`all`, the rule of the segmentation toolbox that trained the published models).
   */
  readonly meanOver?: 'valid' | 'all';
}

/**
 * Softmax cross entropy over the last axis.
 *
 * @param logits `[..., K]`, e.g. `[N, K]` or `[N, H, W, K]`.
 * @param target int32 labels `[...]` in [0, K), or float32 class probabilities `[..., K]`; constants.
 * @returns a scalar, or `[...]` for the reduction `none`. A label outside [0, K) that is not `ignoreIndex` gives
 *   NaN; so does the mean over `valid` elements when there are none.
 * @throws AsMlpError (input, usage) for shapes, dtypes or options that do not fit.
 */
export function crossEntropy<R extends Reduction = 'mean'>(
  logits: tf.Tensor,
  target: tf.Tensor,
  options: CrossEntropyOptions<R> = {},
): Loss<R> {
  const { labelSmoothing = 0, ignoreIndex, meanOver = 'valid', ...reduce } = options;
  const hard = target.rank === logits.rank - 1;
  assertFits(logits, target, options);
  return tf.tidy(() => {
    const losses = hard
      ? ofLabels(logits, target, labelSmoothing, ignoreIndex)
      : ofRows(logits, target, labelSmoothing);
    const divides = (reduce.reduction ?? 'mean') === 'mean' && reduce.averageFactor === undefined;
    if (ignoreIndex === undefined || meanOver === 'all' || !divides) return reduceLoss(losses, reduce);
    const valid = tf.sum(tf.notEqual(target, ignoreIndex)) as tf.Scalar;
    return reduceLoss(losses, { ...reduce, averageFactor: tf.cast(valid, 'float32') });
  });
}

/**
 * With s = x − max x, the loss of a row of logits is log Σeˢ − (1 − ε)·s[label] − ε·mean s. The label's element is
 * gathered and the one-hot rows of the gradient exist only in the backward pass: both are as large as the logits.
 */
function ofLabels(
  logits: tf.Tensor,
  labels: tf.Tensor,
  labelSmoothing: number,
  ignoreIndex: number | undefined,
): tf.Tensor {
  const classes = logits.shape[logits.rank - 1]!;
  return customGradient([logits], {
    value: () => {
      const named = tf.logicalAnd(tf.greaterEqual(labels, 0), tf.less(labels, classes));
      const rows = tf.mul(tf.range(0, labels.size, 1, 'int32'), tf.scalar(classes, 'int32'));
      const columns = tf.reshape(tf.mul(labels, tf.cast(named, 'int32')), [-1]);
      const { shifted, logSum } = softmaxParts(logits);
      const ofLabel = tf.gather(tf.reshape(shifted, [-1]), tf.add(rows, columns) as tf.Tensor1D);
      let fit = tf.reshape(ofLabel, labels.shape);
      if (labelSmoothing > 0) {
        fit = tf.add(tf.mul(fit, 1 - labelSmoothing), tf.mul(tf.mean(shifted, -1), labelSmoothing));
      }
      // 1 for a named label, 0 for an ignored one, and NaN for any other: a wrong label must not go unnoticed.
      const valid = validRows(labels, ignoreIndex);
      const known = tf.cast(tf.logicalOr(named, tf.equal(valid, 0)), 'float32');
      const factor = tf.div(tf.mul(valid, known), known);
      return tf.mul(tf.sub(logSum, fit), factor);
    },
    saved: [logits, labels],
    gradient: (dy, [x, y]) => {
      const range = tf.range(0, classes, 1, 'int32');
      let rows: tf.Tensor = tf.cast(tf.equal(tf.expandDims(y!, -1), range), 'float32');
      if (labelSmoothing > 0) rows = smooth(rows, labelSmoothing);
      const slope = tf.mul(dy, validRows(y!, ignoreIndex));
      return [tf.mul(tf.sub(tf.softmax(x!), rows), tf.expandDims(slope, -1))];
    },
  });
}

/** The loss of a row is log Σeˢ · Σt − Σ t·s, its gradient softmax(x)·Σt − t. */
function ofRows(logits: tf.Tensor, target: tf.Tensor, labelSmoothing: number): tf.Tensor {
  const smoothed = (rows: tf.Tensor) => (labelSmoothing > 0 ? smooth(rows, labelSmoothing) : rows);
  return customGradient([logits], {
    value: () => {
      const rows = smoothed(target);
      const { shifted, logSum } = softmaxParts(logits);
      return tf.sub(tf.mul(logSum, tf.sum(rows, -1)), tf.sum(tf.mul(rows, shifted), -1));
    },
    saved: [logits, target],
    gradient: (dy, [x, t]) => {
      const rows = smoothed(t!);
      const slope = tf.sub(tf.mul(tf.softmax(x!), tf.sum(rows, -1, true)), rows);
      return [tf.mul(slope, tf.expandDims(dy, -1))];
    },
  });
}

/** s = x − max x and log Σeˢ along the last axis. */
function softmaxParts(x: tf.Tensor): { shifted: tf.Tensor; logSum: tf.Tensor } {
  const shifted = tf.sub(x, tf.max(x, -1, true));
  return { shifted, logSum: tf.log(tf.sum(tf.exp(shifted), -1)) };
}

function smooth(rows: tf.Tensor, labelSmoothing: number): tf.Tensor {
  const classes = rows.shape[rows.rank - 1]!;
  return tf.add(tf.mul(rows, 1 - labelSmoothing), labelSmoothing / classes);
}

/** 0 where the label is ignored, else 1. */
function validRows(labels: tf.Tensor, ignoreIndex: number | undefined): tf.Tensor {
  if (ignoreIndex === undefined) return tf.ones(labels.shape);
  return tf.cast(tf.notEqual(labels, ignoreIndex), 'float32');
}

function assertFits(logits: tf.Tensor, target: tf.Tensor, options: CrossEntropyOptions<Reduction>): void {
  const { labelSmoothing = 0, ignoreIndex } = options;
  const soft = target.rank === logits.rank;
  const leading = soft ? logits.shape : logits.shape.slice(0, -1);
  if (target.shape.join() !== leading.join()) {
    throw new AsMlpError('input', {
      what: `crossEntropy was given logits of shape [${logits.shape}] and a target of shape [${target.shape}]`,
      fix: 'Give labels of the shape of the logits without the last axis, or probabilities of the same shape',
    });
  }
  if (!soft && target.dtype !== 'int32') {
    throw new AsMlpError('input', {
      what: `crossEntropy was given labels of type ${target.dtype}`,
      fix: 'Give int32 labels',
    });
  }
  if (soft && ignoreIndex !== undefined) {
    throw new AsMlpError('usage', {
      what: 'crossEntropy was given ignoreIndex with class probabilities',
      fix: 'Use ignoreIndex with integer labels, or weight with probabilities',
    });
  }
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    throw new AsMlpError('usage', {
      what: `crossEntropy was given labelSmoothing ${labelSmoothing}`,
      fix: 'Give a number in [0, 1)',
    });
  }
}
