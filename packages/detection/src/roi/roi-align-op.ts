import { customGradient } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { ensureRoiAlign, ROI_ALIGN, ROI_ALIGN_GRADIENT } from './roi-align-kernels.ts';

/**
 * `roiAlign` as an operation on tensors, with its gradient with respect to the maps; the regions are constants.
 *
 * @param maps `[B, H_i, W_i, C]`, one for each of `strides`.
 * @param rois `[N, 5]`.
 * @returns `[N, size, size, C]`.
 */
export function roiAlignOp(
  maps: readonly tf.Tensor4D[],
  strides: readonly number[],
  rois: tf.Tensor2D,
  size: number,
): tf.Tensor4D {
  ensureRoiAlign();
  const attributes = { size, strides: [...strides] };
  const named = (tensors: readonly tf.Tensor[]) => Object.fromEntries(tensors.entries());
  return customGradient<tf.Tensor4D>(maps, {
    value: () => tf.engine().runKernel(ROI_ALIGN, { rois, ...named(maps) }, attributes) as tf.Tensor4D,
    saved: [rois, ...maps],
    gradient: (dy, [regions, ...pyramid]) =>
      tf
        .engine()
        .runKernel(ROI_ALIGN_GRADIENT, { rois: regions!, dy, ...named(pyramid) }, attributes) as tf.Tensor[],
  });
}
