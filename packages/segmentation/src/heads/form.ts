import { adaptiveAvgPool, resizeBilinear } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { convolveResized } from './resized-conv.ts';

/** How the decode head computes what can be computed in several ways. All give the same values. */
export interface HeadForm {
  /**
   * The 3×3 convolution (zeros outside) with `kernel`, `[3, 3, channels of all, out]`, of maps that are resized bilinearly to the
   * size of the first and laid side by side in their channels.
   */
  convolve(maps: readonly [tf.Tensor4D, ...tf.Tensor4D[]], kernel: tf.Tensor4D): tf.Tensor4D;
  /** `[B, H, W, C]` → the means of `bins` × `bins` parts, `[B, bins, bins, C]`, as PyTorch's adaptive pooling has them. */
  pool(x: tf.Tensor4D, bins: number): tf.Tensor4D;
}

/** Few products, and one path for maps of every size. */
export const FAST_FORM: HeadForm = {
  convolve: convolveResized,
  pool: (x, bins) => adaptiveAvgPool(x, { height: bins, width: bins }),
};

/** Word for word as it is defined: what published multiply-accumulates count. */
export const DEFINED_FORM: HeadForm = {
  convolve: ([first, ...coarse], kernel) => {
    const [, height, width] = first.shape;
    const resized = coarse.map((x) => resizeBilinear(x, { height, width }, 'fast'));
    return tf.conv2d(tf.concat([first, ...resized], 3), kernel, 1, 'same');
  },
  pool: (x, bins) => {
    const [batch, height, width, channels] = x.shape;
    const parts = (side: number) =>
      Array.from({ length: bins }, (_, i) => {
        const start = Math.floor((i * side) / bins);
        return { start, length: Math.ceil(((i + 1) * side) / bins) - start };
      });
    const rows = parts(height).map((row) => {
      const means = parts(width).map((column) => {
        const part = tf.slice4d(
          x,
          [0, row.start, column.start, 0],
          [batch, row.length, column.length, channels],
        );
        return tf.mean(part, [1, 2], true);
      });
      return tf.concat(means, 2);
    });
    return tf.concat(rows, 1) as tf.Tensor4D;
  },
};
