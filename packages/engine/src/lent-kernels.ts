import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';

/** Kernels of gradients (and one contraction) that the WebAssembly package does not have. */
export const LENT_KERNELS = [
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'UnsortedSegmentSum',
  'Einsum',
] as const;

/** What a kernel needs of a backend to take and give tensors. */
interface Storage extends tf.KernelBackend {
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId;
  readSync(dataId: tf.DataId): tf.backend_util.BackendValues;
  disposeData(dataId: tf.DataId): boolean;
}

/**
 * Lets the wasm backend run kernels it lacks on the cpu backend: inputs are copied over, the result
 * is copied back. Without them nothing that holds a convolution could be trained on wasm.
 */
export function lendKernels(): void {
  const there = new Set(tf.getKernelsForBackend('wasm').map((kernel) => kernel.kernelName));
  for (const kernelName of LENT_KERNELS) {
    if (there.has(kernelName)) continue;
    const lender = tf.getKernel(kernelName, 'cpu');
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: (call) =>
        runElsewhere(lender, call, storage(tf.findBackend('wasm')), storage(quietCpuBackend())),
    });
  }
}

type KernelCall = Parameters<tf.KernelFunc>[0];

function runElsewhere(lender: tf.KernelConfig, call: KernelCall, home: Storage, away: Storage) {
  const borrowed: Record<string, tf.TensorInfo> = {};
  for (const [name, input] of Object.entries(call.inputs)) {
    if (input) borrowed[name] = copy(input, home, away);
  }
  const outputs = lender.kernelFunc({ inputs: borrowed, attrs: call.attrs ?? {}, backend: away });
  const bringHome = (output: tf.TensorInfo) => {
    const brought = copy(output, away, home);
    away.disposeData(output.dataId);
    return brought;
  };
  const results = Array.isArray(outputs) ? outputs.map(bringHome) : bringHome(outputs);
  for (const input of Object.values(borrowed)) away.disposeData(input.dataId);
  return results;
}

function copy(tensor: tf.TensorInfo, from: Storage, to: Storage): tf.TensorInfo {
  const { shape, dtype } = tensor;
  // A slice: the wasm backend answers with a view of its memory, which moves when it grows.
  const values = from.readSync(tensor.dataId).slice() as tf.backend_util.BackendValues;
  return { dataId: to.write(values, shape, dtype), shape, dtype };
}

/** The cpu backend, without the advertisement that it prints on its first use in Node. */
export function quietCpuBackend(): tf.KernelBackend | null {
  const backend = tf.findBackend('cpu');
  if (backend && 'firstUse' in backend) backend.firstUse = false;
  return backend;
}

function storage(backend: tf.KernelBackend | null): Storage {
  if (!backend) throw new AsMlpError('engine', { what: 'an engine that lends kernels is not open' });
  return backend as Storage;
}
