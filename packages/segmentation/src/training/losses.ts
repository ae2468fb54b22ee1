import { crossEntropy, type Mode, resizeBilinear } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { IGNORED } from '../labels.ts';
import type { SegmentationModel } from '../model.ts';

/** Weight of the auxiliary head's loss. */
const AUXILIARY_WEIGHT = 0.4;

/** Options of {@link segmentationLosses}. */
export interface SegmentationLossOptions {
  readonly mode: Mode;
  /** Pixels with this label cost nothing, but stay in the mean. 255 unless given. */
  readonly ignore?: number;
}

/** The losses of one batch, and how many of its pixels are right. */
export interface SegmentationLosses {
  /** The weighted losses under their official names, `decode.loss_seg` and `aux.loss_seg`; their sum is to be differentiated. */
  readonly losses: Readonly<Record<string, tf.Scalar>>;
  /** Percent of all pixels, ignored ones among them, that the decode head has right: `decode.acc_seg`. Without gradient. */
  readonly accuracies: Readonly<Record<string, tf.Scalar>>;
}

/**
 * Losses of both heads: logits resized to the labels, cross entropy, mean over all pixels including those that are ignored.
 *
 * @param images `[B, H, W, 3]`, normalised; at least two of them.
 * @param labels `[B, H, W]`, int32.
 */
export function segmentationLosses(
  model: SegmentationModel,
  images: tf.Tensor4D,
  labels: tf.Tensor3D,
  { mode, ignore = IGNORED }: SegmentationLossOptions,
): SegmentationLosses {
  const { logits, auxiliary } = model.outputs(images, mode);
  const [, height, width] = labels.shape;
  const atLabels = (maps: tf.Tensor4D) => resizeBilinear(maps, { height, width });
  const lossOf = (maps: tf.Tensor4D) =>
    crossEntropy(maps, labels, { ignoreIndex: ignore, meanOver: 'all' }) as tf.Scalar;
  const decoded = atLabels(logits);
  return {
    losses: {
      'decode.loss_seg': lossOf(decoded),
      ...(auxiliary ? { 'aux.loss_seg': tf.mul(lossOf(atLabels(auxiliary)), AUXILIARY_WEIGHT) } : {}),
    },
    accuracies: { 'decode.acc_seg': percentRight(decoded, labels) },
  };
}

function percentRight(logits: tf.Tensor4D, labels: tf.Tensor3D): tf.Scalar {
  return tf.tidy(() => {
    const right = tf.cast(tf.equal(tf.argMax(logits, 3), labels), 'float32');
    return tf.mul(tf.mean(right), 100);
  });
}
