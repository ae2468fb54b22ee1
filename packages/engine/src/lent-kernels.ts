import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';

type KernelCall = Parameters<tf.KernelFunc>[0];

/**
 * Kernels that the WebAssembly package does not have (gradients), or has wrong for some
 * calls: one-hot rows of another type than int32 and casts to bool come out as raw bits, the sum over
 * nothing is whatever the memory holds, and the gradient of a pooled maximum below zero goes astray.
 */
const LENT_KERNELS: Readonly<Record<string, (call: KernelCall) => boolean>> = {
  Conv2DBackpropFilter: () => true,
  DepthwiseConv2dNativeBackpropFilter: () => true,
  DepthwiseConv2dNativeBackpropInput: () => true,
  MaxPoolGrad: () => true,
  UnsortedSegmentSum: () => true,
  OneHot: (call) => call.attrs?.dtype !== 'int32',
  Cast: (call) => call.attrs?.dtype === 'bool',
  Sum: isEmpty,
  Prod: isEmpty,
  Mean: isEmpty,
};

function isEmpty({ inputs }: KernelCall): boolean {
  return inputs.x?.shape.includes(0) === true;
}

/** What a kernel needs of a backend to take and give tensors. */
interface Storage extends tf.KernelBackend {
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId;
  readSync(dataId: tf.DataId): tf.backend_util.BackendValues;
  disposeData(dataId: tf.DataId): boolean;
}

/**
 * Lets the wasm backend run the calls that it cannot do, or does wrongly, on the cpu backend: inputs
 * are copied over, results copied back. Without it nothing that holds a convolution could be trained.
 */
export function lendKernels(): void {
  const own = new Map(tf.getKernelsForBackend('wasm').map((kernel) => [kernel.kernelName, kernel]));
  if (own.has('Conv2DBackpropFilter')) return;
  for (const [kernelName, isLent] of Object.entries(LENT_KERNELS)) {
    const lender = tf.getKernel(kernelName, 'cpu');
    const mine = own.get(kernelName);
    if (mine) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({
      ...mine,
      kernelName,
      backendName: 'wasm',
      kernelFunc: (call) =>
        mine && !isLent(call)
          ? mine.kernelFunc(call)
          : runElsewhere(lender, call, storage(tf.findBackend('wasm')), storage(quietCpuBackend())),
    });
  }
}

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
