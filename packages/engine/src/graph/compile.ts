import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { withoutConstants } from '../graph-constants.ts';
import { encodeGraphDef, type GraphTensor } from '../graph-def.ts';
import { type GraphFeed, type GraphSession, openGraphSession } from '../graph-session.ts';
import { nativeDevice, nativeIsOpen } from '../native.ts';
import { lowerToTensorFlow } from './lower.ts';
import { mergeTraces, type Program } from './program.ts';
import { type TensorFunction, trace } from './trace.ts';

/**
 * A size that may differ from call to call. Inputs that name the same one always agree in it; sizes of images are called
 * `height` and `width`, since padding to strides is tried out on them.
 */
export type OpenSize = 'batch' | 'height' | 'width';

/** What one argument of a compiled function may be. */
export interface InputSpec {
  readonly shape: readonly (number | OpenSize)[];
  /** `float32` unless given. */
  readonly dtype?: 'float32' | 'int32';
}

/** How {@link compile} works. */
export interface CompileOptions {
  /** One for each argument. */
  readonly inputs: readonly InputSpec[];
  /** Threads that one operation may use; the engine's unless given. */
  readonly threads?: number;
}

/** A function that runs as one graph. It gives promises; the graph runs off the event loop. */
export interface Compiled<F extends TensorFunction> {
  (...inputs: Parameters<F>): Promise<ReturnType<F>>;
  /** Whether it runs as a graph, or is the plain function because the engine cannot compile. */
  readonly isGraph: boolean;
  /** Frees the graph. Calls that are under way come to their end. */
  dispose(): Promise<void>;
}

/**
 * Sizes that are tried out. Between them every rule of sizes shows: on the way down by 4, 2, 2 and 2 each call has at
 * least one side that needs padding at every step, and no two sides need it alike.
 */
const SAMPLES: Readonly<Record<OpenSize, readonly number[]>> = {
  batch: [2, 3, 2, 4],
  height: [49, 71, 106, 56],
  width: [72, 42, 51, 73],
};

/**
 * Makes `fn` fast: runs it a few times on small inputs, writes down what it does, and gives that to TensorFlow as one
 * graph, which serves every size that `inputs` leaves open. Variables are frozen to the values they have now.
 *
 * Where the engine cannot compile, the result calls `fn`.
 *
 * @throws AsMlpError `usage` when `fn` reads the values of a tensor, or does other things for other sizes.
 */
export async function compile<F extends TensorFunction>(
  fn: F,
  options: CompileOptions,
): Promise<Compiled<F>> {
  if (!nativeIsOpen() || tf.getBackend() !== 'tensorflow') return plain(fn);
  const program = recordProgram(fn, options.inputs);
  const names = {
    inputs: program.inputs.map((_, i) => `input_${i}`),
    outputs: program.outputs.map((_, i) => `output_${i}`),
  };
  const { threads } = options;
  // The operations of the graph runtime run on processors alone.
  const fused = nativeDevice() === 'cpu';
  const graph = withoutConstants(lowerToTensorFlow(program, names, { fused }));
  const session = openGraphSession(encodeGraphDef(graph.nodes), {
    ...(threads === undefined ? {} : { threads }),
    // Each operation uses all threads by itself; two at once would only take the caches from each other.
    ...(fused ? { interOpThreads: 1 } : {}),
  });
  await graph.initialise(session);
  return graphFunction<F>(session, names, options.inputs);
}

/**
 * What `fn` does, as a program for all sizes that `inputs` leave open. `fn` runs on the current backend with zeros.
 *
 * @throws AsMlpError as {@link compile}.
 */
export function recordProgram(fn: TensorFunction, inputs: readonly InputSpec[]): Program {
  const open = new Set(inputs.flatMap(({ shape }) => shape.filter((size) => typeof size === 'string')));
  const calls = open.size === 0 ? 1 : open.has('height') || open.has('width') ? SAMPLES.height.length : 2;
  const call = <T>(index: number, use: (tensors: tf.Tensor[]) => T): T => {
    const tensors = inputs.map(({ shape, dtype = 'float32' }) =>
      tf.zeros(
        shape.map((size) => (typeof size === 'string' ? SAMPLES[size][index]! : size)),
        dtype,
      ),
    );
    try {
      return use(tensors);
    } finally {
      tf.dispose(tensors);
    }
  };
  // Parameters take their memory at their first use, which is not a part of the function.
  call(0, (tensors) => tf.tidy(() => void fn(...tensors)));
  return mergeTraces(
    Array.from({ length: calls }, (_, index) => call(index, (tensors) => trace(fn, tensors))),
  );
}

function plain<F extends TensorFunction>(fn: F): Compiled<F> {
  const run = async (...inputs: Parameters<F>) => fn(...inputs) as ReturnType<F>;
  return Object.assign(run, { isGraph: false, dispose: async () => undefined });
}

function graphFunction<F extends TensorFunction>(
  session: GraphSession,
  names: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
  specs: readonly InputSpec[],
): Compiled<F> {
  const run = async (...inputs: Parameters<F>) => {
    checkInputs(inputs, specs);
    const feeds = await Promise.all(inputs.map((tensor, i) => feedOf(tensor, names.inputs[i]!)));
    const outputs = await session.run(feeds, names.outputs);
    const tensors = outputs.map(({ data, shape, dtype }) =>
      tf.tensor(data as Float32Array, [...shape], dtype as 'float32'),
    );
    return (tensors.length === 1 ? tensors[0] : tensors) as ReturnType<F>;
  };
  return Object.assign(run, { isGraph: true, dispose: () => session.close() });
}

async function feedOf(tensor: tf.Tensor, name: string): Promise<GraphFeed> {
  const data = await tensor.data();
  return { name, dtype: tensor.dtype, shape: tensor.shape, data } as GraphTensor & { name: string };
}

function checkInputs(inputs: readonly tf.Tensor[], specs: readonly InputSpec[]): void {
  for (const [i, { shape, dtype = 'float32' }] of specs.entries()) {
    const given = inputs[i];
    const fits =
      given?.dtype === dtype &&
      given.rank === shape.length &&
      shape.every((size, axis) => typeof size === 'string' || size === given.shape[axis]);
    if (fits) continue;
    throw new AsMlpError('input', {
      where: `argument ${i + 1} of a compiled function`,
      what: `${given ? `${given.dtype} [${given.shape}]` : 'nothing'} was given`,
      fix: `Give ${dtype} [${shape.join(', ')}]`,
    });
  }
}
