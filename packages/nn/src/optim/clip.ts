import * as tf from '@tensorflow/tfjs-core';
import { rawOps } from './raw-ops.ts';

/** Added to the norm before dividing, as in PyTorch's `clip_grad_norm_`. */
export const CLIP_EPSILON = 1e-6;

/** √Σ‖g‖² over all tensors, a float32 scalar. 0 for none. */
export function globalNorm(tensors: Iterable<tf.Tensor>): tf.Scalar {
  return tf.tidy(() => {
    const raw = rawOps();
    const halves = Array.from(tensors, (tensor) =>
      raw ? raw.halfSquaredNorm(tensor) : (tf.mul(tf.sum(tf.square(tensor)), 0.5) as tf.Scalar),
    );
    if (halves.length === 0) return tf.scalar(0);
    return tf.sqrt(tf.mul(tf.addN(halves), 2)) as tf.Scalar;
  });
}

/** What `clipGradNorm` found. */
export interface ClippedNorm {
  /** Norm over all gradients before clipping; NaN or Infinity when a gradient is not finite. */
  readonly norm: number;
  /** min(1, maxNorm / (norm + 1e-6)): pass it to the optimiser's `step`, which multiplies the gradients by it. */
  readonly scale: number;
}

/**
 * Clip gradients by their global norm (Pascanu et al., 2013), as PyTorch's `clip_grad_norm_`. The gradients stay as
 * they are: the factor goes to the optimiser, which saves a copy of all of them, and most steps need none.
 * Waits for one number from the device.
 */
export function clipGradNorm(gradients: Readonly<Record<string, tf.Tensor>>, maxNorm: number): ClippedNorm {
  const result = globalNorm(Object.values(gradients));
  const norm = result.dataSync()[0]!;
  result.dispose();
  return { norm, scale: Math.min(1, maxNorm / (norm + CLIP_EPSILON)) };
}
