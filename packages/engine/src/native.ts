import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import type { DeviceChoice } from './choice.ts';
import type { GraphTensor } from './graph-def.ts';
import { findNative } from './installed.ts';

/** The parts of the compiled addon that are used here. */
interface Binding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
}

interface NativeLoader {
  loadNative(addonPath: string): { readonly binding: Binding; readonly backend: tf.KernelBackend };
}

/** A session of the graph runtime; its methods throw for arguments that do not fit the graph. */
export interface NativeGraphSession {
  run(
    feeds: readonly (GraphTensor & { readonly name: string })[],
    fetches: readonly string[],
    targets: readonly string[],
  ): Promise<GraphTensor[]>;
  close(): Promise<void>;
}

/** The compiled graph runtime. */
export interface GraphRuntime {
  readonly GraphSession: new (graphDef: Uint8Array, config: Uint8Array) => NativeGraphSession;
  /** How many threads compute one of the operations that the runtime adds to TensorFlow; the first call decides. */
  setThreads(count: number): void;
  /** Frees the memory of a result at once; the array is empty afterwards. */
  free(array: GraphTensor['data']): void;
  /** Gives freed memory back to the system. */
  trim(): void;
  /** Breaks off every session. */
  stop(): void;
}

/** The native engine of this process. */
export interface OpenedNative {
  readonly device: 'cpu' | 'gpu';
  /** Version that the loaded library itself reports. */
  readonly tensorflow: string;
  readonly threads: number;
}

const BACKEND = 'tensorflow';

/** TensorFlow can be loaded once in a process, with one set of libraries and threads. */
let opened: OpenedNative | undefined;
let graphRuntimePath: string | undefined;
let loadedGraphRuntime: GraphRuntime | undefined;

/** Whether TensorFlow is loaded in this process already. */
export function nativeIsOpen(): boolean {
  return opened !== undefined;
}

/** What the native engine of this process computes on; undefined while it is not loaded. */
export function nativeDevice(): OpenedNative['device'] | undefined {
  return opened?.device;
}

/**
 * The graph runtime, on the TensorFlow that the native engine has loaded.
 *
 * @throws AsMlpError `engine` when the native engine is not open.
 */
export function graphRuntime(): GraphRuntime {
  if (loadedGraphRuntime) return loadedGraphRuntime;
  if (graphRuntimePath === undefined) {
    throw new AsMlpError('engine', {
      what: 'graphs run on the native engine alone, and it is not open',
      fix: "Call openEngine({ engine: 'native' }) first",
    });
  }
  const runtime: GraphRuntime = createRequire(import.meta.url)(graphRuntimePath);
  runtime.setThreads(opened?.threads ?? 1);
  // A run that outlives the JavaScript of the process would crash it.
  process.once('exit', () => runtime.stop());
  loadedGraphRuntime = runtime;
  return runtime;
}

/**
 * Loads TensorFlow, registers it with the shared `@tensorflow/tfjs-core` and makes it the backend.
 *
 * @throws AsMlpError `engine` when it is not prepared, does not load, or `gpu` is asked and there is none.
 */
export async function openNative(device: DeviceChoice, threads: number | undefined): Promise<OpenedNative> {
  opened ??= await load(device, threads);
  if (device === 'gpu' && opened.device !== 'gpu') throw noGpu('TensorFlow sees no GPU');
  if (!(await tf.setBackend(BACKEND))) {
    throw new AsMlpError('engine', { what: 'the TensorFlow backend did not start' });
  }
  return opened;
}

async function load(device: DeviceChoice, threads: number | undefined): Promise<OpenedNative> {
  const search = await findNative(device);
  if (!search.native) {
    if (device === 'gpu') throw noGpu(search.reason);
    const fix = search.fix ? `Run \`${search.fix}\`` : undefined;
    throw new AsMlpError('engine', { what: `the native engine is not there: ${search.reason}`, fix });
  }
  const { libraries, addon } = search.native;
  // TensorFlow reads these once, when it is loaded.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= libraries.variant === 'cuda' ? '3' : '2';
  if (threads !== undefined) process.env.TF_NUM_INTRAOP_THREADS = String(threads);
  if (device === 'cpu') process.env.CUDA_VISIBLE_DEVICES = '-1';
  const require = createRequire(import.meta.url);
  const loader: NativeLoader = require(fileURLToPath(new URL('../native/load.cjs', import.meta.url)));
  try {
    const { binding, backend } = loader.loadNative(addon.path);
    tf.registerBackend(BACKEND, () => backend, 3);
    graphRuntimePath = addon.graphRuntime;
    return {
      device: binding.isUsingGpuDevice() ? 'gpu' : 'cpu',
      tensorflow: binding.TF_Version,
      threads: Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism(),
    };
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new AsMlpError('engine', {
      where: addon.path,
      what: `the native engine does not load (${why})`,
      fix: 'Run `npm run setup -- --force`',
      cause: error,
    });
  }
}

function noGpu(why: string | undefined): AsMlpError {
  return new AsMlpError('engine', {
    where: '--device gpu',
    what: `there is no usable GPU: ${why}`,
    fix: 'Run `npm run setup -- --cuda` on a machine with an NVIDIA driver, or leave --device out',
  });
}
