import * as tf from '@tensorflow/tfjs-core';

/**
 * The 3×3 convolution (zeros outside) of maps that are resized bilinearly to the size of the first and laid side by side in
 * their channels: `concat([first, resize(a), resize(b), …])` with `kernel`, `[3, 3, channels of all, out]`.
 *
 * Nothing is resized or laid side by side. A convolution is a sum over its nine taps of shifted products, and products over
 * channels commute with resizing and shifting: so each coarse map is multiplied at its own size, and what resizes and
 * shifts the products are two small matrices. Of UperNet's products that leaves six tenths, and it needs half the memory.
 * It takes one path for maps of every size, and has exact gradients.
 */
export function convolveResized(
  [first, ...coarse]: readonly [tf.Tensor4D, ...tf.Tensor4D[]],
  kernel: tf.Tensor4D,
): tf.Tensor4D {
  return tf.tidy(() => {
    const [batch, height, width] = first.shape;
    const [, , , out] = kernel.shape;
    let start = 0;
    const next = (channels: number) => {
      const part = tf.slice4d(kernel, [0, 0, start, 0], [3, 3, channels, out]);
      start += channels;
      return part;
    };
    const own = tf.conv2d(first, next(first.shape[3]), 1, 'same');
    return coarse.reduce((sum: tf.Tensor4D, x) => {
      const [, fromHeight, fromWidth] = x.shape;
      const rows = tf.unstack(shiftedWeights(fromHeight, height), 1) as tf.Tensor2D[];
      const columns = tf.reshape(shiftedWeights(fromWidth, width), [width, 3 * fromWidth]) as tf.Tensor2D;
      // One row of the kernel at a time: the products of all three are larger than the result.
      const kernelRows = tf.unstack(next(x.shape[3])) as tf.Tensor3D[];
      return kernelRows.reduce((partial: tf.Tensor4D, kernelRow, i) => {
        const mixed: tf.Tensor = tf.matMul(rows[i]!, widen(x, kernelRow, columns));
        return tf.add(partial, tf.reshape(mixed, [batch, height, width, out]));
      }, sum);
    }, own);
  });
}

/** Products of `[B, h, w, C]` with a row of the kernel, resized and shifted along the width alone: `[B, h, width · out]`. */
function widen(x: tf.Tensor4D, kernelRow: tf.Tensor3D, columns: tf.Tensor2D): tf.Tensor3D {
  const [batch, height, from, channels] = x.shape;
  const [, , out] = kernelRow.shape;
  const cells = tf.reshape(x, [batch * height * from, channels]);
  // The products with the three taps one after the other, as the weights expect them.
  const taps = tf.unstack(kernelRow).map((tap) => {
    const product = tf.matMul(cells, tap as tf.Tensor2D);
    return tf.reshape(product, [batch * height, from, out]) as tf.Tensor3D;
  });
  const mixed = tf.matMul(columns, tf.concat(taps, 1));
  return tf.reshape(mixed, [batch, height, columns.shape[0] * out]) as tf.Tensor3D;
}

/**
 * `[to, 3, from]` weights of three bilinear resizes of an axis (pixel centres aligned, borders repeated), shifted by −1, 0
 * and 1; zeros stand outside. Computed by tensor operations, so that a compiled function can follow the sizes.
 */
function shiftedWeights(from: number, to: number): tf.Tensor3D {
  const target = tf.add(tf.reshape(tf.range(0, to), [to, 1, 1]), tf.tensor3d([-1, 0, 1], [1, 3, 1]));
  const ratio = tf.div(tf.scalar(from), tf.scalar(to));
  const position = tf.sub(tf.mul(tf.add(target, 0.5), ratio), 0.5);
  const inside = tf.minimum(tf.relu(position), tf.sub(tf.scalar(from), 1));
  const distance = tf.abs(tf.sub(inside, tf.reshape(tf.range(0, from), [1, 1, from])));
  const weights = tf.relu(tf.sub(1, distance));
  const isOutside = tf.logicalOr(tf.less(target, 0), tf.greaterEqual(target, tf.scalar(to)));
  return tf.mul(weights, tf.sub(1, tf.cast(isOutside, 'float32')));
}
