import { availableParallelism, cpus } from 'node:os';
import type { Engine } from '@as-mlp/engine';
import * as tf from '@tensorflow/tfjs-core';

/** What a run was computed with; part of every checkpoint. */
export interface Environment {
  readonly node: string;
  /** Operating system and architecture, e.g. `linux-x64`. */
  readonly platform: string;
  readonly processor: string;
  readonly processors: number;
  /** Engine with its version, device and threads, e.g. `native, TensorFlow 2.21.0, cpu, 8 threads`. */
  readonly engine: string;
}

/** Describes this process. Without `engine` only the backend's name is known. */
export function describeEnvironment(engine?: Engine): Environment {
  const runtime = engine?.tensorflow ? `TensorFlow ${engine.tensorflow}` : `TensorFlow.js ${tf.version_core}`;
  return {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    processors: availableParallelism(),
    engine: engine
      ? `${engine.name}, ${runtime}, ${engine.device}, ${engine.threads} threads`
      : `${tf.getBackend()}, ${runtime}`,
  };
}

/** Memory of this process. */
export interface MemoryUse {
  /** Resident memory in MiB. */
  readonly rssMiB: number;
  /** Tensors alive in the engine. */
  readonly tensors: number;
}

/** The memory in use now. */
export function memoryUse(): MemoryUse {
  return { rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20), tensors: tf.memory().numTensors };
}
