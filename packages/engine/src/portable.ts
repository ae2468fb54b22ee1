import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { lendKernels, quietCpuBackend } from './lent-kernels.ts';
import { assertOnnxRuntime } from './onnx/session.ts';

const require = createRequire(import.meta.url);

/**
 * Makes the WebAssembly engine the backend: one thread with SIMD, its files read from the npm package.
 * (The package's threaded build cannot start in Node: its workers are made from `blob:` addresses.)
 *
 * @throws AsMlpError `engine` when it does not start.
 */
export async function openWasm(): Promise<void> {
  registerGradients();
  try {
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
    // Paths can be set until the backend is made, and only then.
    if (!tf.engine().registry.wasm) wasm.setWasmPaths(`${folder}${sep}`);
    lendKernels();
    if (await tf.setBackend('wasm')) return;
  } catch (error) {
    throw didNotStart('wasm', error);
  }
  throw didNotStart('wasm', undefined);
}

/**
 * Makes ONNX Runtime ready for what is compiled; single operations, and training, run on WebAssembly.
 *
 * @throws AsMlpError `engine` when it is not installed or WebAssembly does not start.
 */
export async function openOnnx(): Promise<void> {
  assertOnnxRuntime();
  await openWasm();
}

/**
 * Makes the plain JavaScript engine the backend.
 *
 * @throws AsMlpError `engine` when it does not start.
 */
export async function openCpu(): Promise<void> {
  registerGradients();
  quietCpuBackend();
  if (!(await tf.setBackend('cpu'))) throw didNotStart('cpu', undefined);
}

/** The gradients of all ops, and the cpu backend, come with the union package. */
function registerGradients(): void {
  require('@tensorflow/tfjs');
}

function didNotStart(name: string, error: unknown): AsMlpError {
  const why = error instanceof Error ? ` (${error.message})` : '';
  return new AsMlpError('engine', {
    what: `the ${name} engine did not start${why}`,
    fix: 'Run `npm run setup`',
    cause: error,
  });
}
