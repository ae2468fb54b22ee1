import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from './custom-gradient.ts';

/** Height and width in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/**
 * Bilinear resize of feature maps, `[N, H, W, C]` → `[N, height, width, C]`: pixel centres aligned
 * (`align_corners=False`), borders repeated, no antialiasing, as PyTorch's `interpolate(mode='bilinear')`.
 *
 * `exact`: two products with the interpolation weights of the axes, positions rounded as PyTorch rounds them. Where the
 * positions of the engine's own op are exact in float32 (the ratios are powers of two) that op gives the same values in a
 * third of the time. `fast`: the engine's own op, whatever the ratio, so that a compiled function does the same for every
 * size; a value may differ by some 1e-7 of the difference of its neighbours for each pixel of its position.
 * The gradient of the op is wrong for aligned pixel centres and is never used: both have that of the products.
 */
export function resizeBilinear(
  x: tf.Tensor4D,
  { height, width }: Size,
  how: 'exact' | 'fast' = 'exact',
): tf.Tensor4D {
  const [, fromHeight, fromWidth] = x.shape;
  if (how === 'exact' && fromHeight === height && fromWidth === width) return tf.clone(x);
  const weights = () => ({
    rows: interpolationWeights(fromHeight, height),
    columns: interpolationWeights(fromWidth, width),
  });
  return customGradient([x], {
    value: () => {
      if (how === 'fast' || (isPowerOfTwo(fromHeight / height) && isPowerOfTwo(fromWidth / width))) {
        return tf.image.resizeBilinear(x, [height, width], false, true);
      }
      const { rows, columns } = weights();
      return mixAxes(x, rows, columns);
    },
    saved: [],
    gradient: (dy) => {
      const { rows, columns } = weights();
      return [mixAxes(dy, tf.transpose(rows), tf.transpose(columns))];
    },
  });
}

/**
 * Nearest-neighbour resize, `[N, H, W, C]` → `[N, height, width, C]`: pixel i copies pixel ⌊i·in/out⌋, as PyTorch's
 * `interpolate(mode='nearest')`. The top-down path of a feature pyramid uses it.
 */
export function resizeNearest(x: tf.Tensor4D, { height, width }: Size): tf.Tensor4D {
  return tf.image.resizeNearestNeighbor(x, [height, width], false, false);
}

/**
 * `[out, in]` weights of linear interpolation with aligned pixel centres: row i mixes the two inputs around
 * (i + ½)·in/out − ½, clamped to the border. PyTorch rounds the ratio and the position to float32, which moves a
 * value by some 1e-6 of the difference of its neighbours; so does this.
 */
function interpolationWeights(from: number, to: number): tf.Tensor2D {
  const weights = new Float32Array(to * from);
  const ratio = Math.fround(from / to);
  for (let i = 0; i < to; i++) {
    const position = Math.max(0, Math.fround(ratio * (i + 0.5) - 0.5));
    const low = Math.min(Math.floor(position), from - 1);
    const high = Math.min(low + 1, from - 1);
    weights[i * from + low]! += 1 - (position - low);
    weights[i * from + high]! += position - low;
  }
  return tf.tensor2d(weights, [to, from]);
}

function isPowerOfTwo(ratio: number): boolean {
  return Number.isInteger(Math.log2(ratio));
}

/**
 * Mix the rows and the columns of `[N, H, W, C]` linearly: `rows` is `[H', H]`, `columns` `[W', W]`, the result
 * `[N, H', W', C]`. Differentiable with respect to `x`.
 */
export function mixAxes(x: tf.Tensor4D, rows: tf.Tensor2D, columns: tf.Tensor2D): tf.Tensor4D {
  const [newHeight, height] = rows.shape;
  const [newWidth, width] = columns.shape;
  const rowsFirst = newHeight * width * (height + newWidth);
  const columnsFirst = height * newWidth * (width + newHeight);
  return rowsFirst < columnsFirst
    ? mixColumns(mixRows(x, rows), columns)
    : mixRows(mixColumns(x, columns), rows);
}

/** `[H', H] · [N, H, W·C]`. */
export function mixRows(x: tf.Tensor4D, rows: tf.Tensor2D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const mixed = tf.matMul(rows, tf.reshape(x, [batch, height, width * channels]));
  return tf.reshape(mixed, [batch, rows.shape[0], width, channels]);
}

/** `[W', W] · [N·H, W, C]`. */
export function mixColumns(x: tf.Tensor4D, columns: tf.Tensor2D): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const mixed = tf.matMul(columns, tf.reshape(x, [batch * height, width, channels]));
  return tf.reshape(mixed, [batch, height, columns.shape[0], channels]);
}
