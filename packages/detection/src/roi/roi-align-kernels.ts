import * as tf from '@tensorflow/tfjs-core';
import { type HostMap, roiAlign, roiAlignGradient } from './roi-align.ts';

/**
 * Kernels of TensorFlow.js, which compiled training steps know by these names.
 *
 * - `RoiAlign` { rois, 0, 1, … }, attributes `size` and `strides`: `[N, 5]` regions cut out of the maps `[B, H_i, W_i, C]`
 *   → `[N, size, size, C]`;
 * - `RoiAlignGradient` { rois, dy, 0, 1, … }, the same attributes: the gradients of the maps.
 */
export const ROI_ALIGN = 'RoiAlign';
export const ROI_ALIGN_GRADIENT = 'RoiAlignGradient';

/** Gives the current backend these kernels, computed by plain code, if it has none. */
export function ensureRoiAlign(): void {
  const backendName = tf.getBackend();
  if (tf.getKernel(ROI_ALIGN, backendName)) return;
  tf.registerKernel({ kernelName: ROI_ALIGN, backendName, kernelFunc: align });
  tf.registerKernel({ kernelName: ROI_ALIGN_GRADIENT, backendName, kernelFunc: alignGradient });
}

const align: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { rois, maps } = named(inputs);
  const { size, strides } = attrs as unknown as RoiAlignAttributes;
  const host = maps.map((map, level) => hostMap(map, strides[level]!, read(map)));
  const shape = [rois.shape[0]!, size, size, maps[0]!.shape[3]!];
  return write(backend as tf.KernelBackend, roiAlign(host, read(rois), size), shape);
};

const alignGradient: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { rois, dy, maps } = named(inputs);
  const { size, strides } = attrs as unknown as RoiAlignAttributes;
  const host = maps.map((map, level) => hostMap(map, strides[level]!, new Float32Array(0)));
  const gradients = roiAlignGradient(host, read(rois), size, read(dy!), maps[0]!.shape[0]!);
  return gradients.map((gradient, level) => write(backend as tf.KernelBackend, gradient, maps[level]!.shape));
};

interface RoiAlignAttributes {
  readonly size: number;
  readonly strides: readonly number[];
}

function named(inputs: tf.NamedTensorInfoMap) {
  const { rois, dy, ...maps } = inputs;
  return { rois: rois!, dy, maps: Object.values(maps) as tf.TensorInfo[] };
}

function read({ dataId }: tf.TensorInfo): Float32Array {
  return tf.engine().readSync(dataId) as Float32Array;
}

function write(backend: tf.KernelBackend, values: Float32Array, shape: number[]): tf.TensorInfo {
  return { dataId: backend.write(values, shape, 'float32'), shape, dtype: 'float32' };
}

function hostMap({ shape }: tf.TensorInfo, stride: number, data: Float32Array): HostMap {
  return { data, height: shape[1]!, width: shape[2]!, channels: shape[3]!, stride };
}
