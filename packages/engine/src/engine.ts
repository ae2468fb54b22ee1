import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';

/** What runs the tensors of this process. */
export interface Engine {
  readonly name: 'native' | 'wasm' | 'cpu';
  readonly device: 'cpu' | 'gpu';
  readonly tensorflow?: string;
  readonly notes: string[];
}

/** Opens the best engine of this machine and makes it the backend of `@tensorflow/tfjs-core`. */
export async function openEngine(_options: { engine?: string } = {}): Promise<Engine> {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  const require = createRequire(import.meta.url);
  const binding = require(join(homedir(), '.cache/as-mlp/dev/tfjs_binding.node'));
  require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js');
  const { NodeJSKernelBackend } = require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js');
  tf.registerBackend('tensorflow', () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu'), 3);
  await tf.setBackend('tensorflow');
  return { name: 'native', device: 'cpu', tensorflow: binding.TF_Version, notes: [] };
}
