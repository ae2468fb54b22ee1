import { customGradient } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { type HostMap, ROI_NUMBERS, roiAlign, roiAlignGradient } from './roi-align.ts';

/**
 * {@link roiAlign} as an operation on tensors, with its gradient with respect to the maps; the regions are constants.
 * Reads the maps, so that it cannot be a part of a compiled function.
 *
 * @param maps `[B, H_i, W_i, C]`, one for each of `strides`.
 * @param rois `[N, 5]`.
 * @returns `[N, size, size, C]`.
 */
export function roiAlignOp(
  maps: readonly tf.Tensor4D[],
  strides: readonly number[],
  rois: Float32Array,
  size: number,
): tf.Tensor4D {
  const hostMap = ({ shape }: tf.Tensor4D, level: number, data: Float32Array): HostMap => ({
    data,
    height: shape[1],
    width: shape[2],
    channels: shape[3],
    stride: strides[level]!,
  });
  const channels = maps[0]!.shape[3];
  return customGradient<tf.Tensor4D>(maps, {
    value: () => {
      const host = maps.map((map, level) => hostMap(map, level, map.dataSync<'float32'>()));
      return tf.tensor4d(roiAlign(host, rois, size), [rois.length / ROI_NUMBERS, size, size, channels]);
    },
    saved: [],
    gradient: (dy) => {
      const host = maps.map((map, level) => hostMap(map, level, new Float32Array(0)));
      const values = roiAlignGradient(host, rois, size, dy.dataSync<'float32'>(), maps[0]!.shape[0]);
      return values.map((value, level) => tf.tensor4d(value, maps[level]!.shape));
    },
  });
}
