import { availableParallelism } from 'node:os';
import { AsMlpError } from '@as-mlp/base';
import { packageVersion } from '../versions.ts';
import { SessionThread } from './session-thread.ts';

/** A tensor that goes into a session or comes out of it, in row-major order; a bool is a byte, 0 or 1. */
export type OnnxSessionTensor =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'int32'; readonly shape: readonly number[]; readonly data: Int32Array }
  | { readonly dtype: 'bool'; readonly shape: readonly number[]; readonly data: Uint8Array };

/** A model that ONNX Runtime has opened. */
export interface OnnxSession {
  /** Names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** Names of the outputs, in order. */
  readonly outputs: readonly string[];
  /**
   * Computes all outputs, on another thread. The inputs are copied at once. Calls are answered in order.
   *
   * @throws AsMlpError `engine` with what ONNX Runtime says: for names, types and shapes that do not fit the model, and
   * when the session is disposed.
   */
  run(feeds: Readonly<Record<string, OnnxSessionTensor>>): Promise<Record<string, OnnxSessionTensor>>;
  /** Frees the model after the calls that are under way. May be called again. */
  dispose(): Promise<void>;
}

/** How a session runs; everything may be left out. */
export interface OnnxSessionOptions {
  /** Threads that one operation may use, from 1. Default: all processors. */
  readonly threads?: number;
}

const PACKAGE = 'onnxruntime-node';

/** The version of ONNX Runtime that is installed, undefined when it is not. */
export function onnxRuntimeVersion(): string | undefined {
  try {
    return packageVersion(PACKAGE);
  } catch {
    return undefined;
  }
}

/** Throws AsMlpError `engine` when ONNX Runtime is not installed. */
export function assertOnnxRuntime(): void {
  if (onnxRuntimeVersion() !== undefined) return;
  throw new AsMlpError('engine', {
    what: 'ONNX Runtime is not installed',
    fix: `Run \`npm install ${PACKAGE}\`, or install without leaving out optional packages`,
  });
}

/**
 * Opens the bytes of an ONNX model in ONNX Runtime, on the CPU and on a thread of its own.
 *
 * @throws AsMlpError `engine` when ONNX Runtime is not installed or refuses the model; `usage` for a bad number of
 * threads.
 */
export async function openOnnxSession(
  model: Uint8Array,
  { threads = availableParallelism() }: OnnxSessionOptions = {},
): Promise<OnnxSession> {
  if (!(Number.isInteger(threads) && threads >= 1)) {
    const fix = 'Give a whole number from 1';
    throw new AsMlpError('usage', { where: 'threads', what: `${threads} is no number of threads`, fix });
  }
  assertOnnxRuntime();
  const thread = new SessionThread(model, threads);
  try {
    const { inputs, outputs } = (await thread.ask('open')) as Pick<OnnxSession, 'inputs' | 'outputs'>;
    const run = async (feeds: Readonly<Record<string, OnnxSessionTensor>>) =>
      (await thread.ask('run', feeds)) as Record<string, OnnxSessionTensor>;
    return { inputs, outputs, run, dispose: () => thread.close() };
  } catch (error) {
    await thread.end();
    throw error;
  }
}

/** Runs a session on inputs in the order of the model; gives the outputs in theirs. Throws as `run` does. */
export async function runInOrder(
  session: OnnxSession,
  inputs: readonly OnnxSessionTensor[],
): Promise<OnnxSessionTensor[]> {
  const found = await session.run(Object.fromEntries(session.inputs.map((name, i) => [name, inputs[i]!])));
  return session.outputs.map((name) => found[name]!);
}
