import { createRng } from '@as-mlp/base';
import type { Compiled, CompileOptions, InputSpec, OpenSize, TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { withoutConstants } from '../graph-constants.ts';
import { encodeGraphDef } from '../graph-def.ts';
import { openGraphSession } from '../graph-session.ts';
import { graphRuntime, nativeDevice } from '../native.ts';
import { bf16NotHere } from '../precision.ts';
import { castProducts } from './cast-products.ts';
import { graphFunction, type PlainTensor } from './graph-function.ts';
import { lowerToTensorFlow } from './lower.ts';
import { assertConsistent, mergeTraces, type Program } from './program.ts';
import { cachedProgram } from './program-cache.ts';
import { fuseForRuntime } from './runtime-kernels.ts';
import { type Trace, type TracedFunction, trace } from './trace.ts';

/**
 * Sizes that are tried out. Between them every rule of sizes shows: on the way down by 4, 2, 2 and 2 each call has at
 * least one side that needs padding at every step, and no two sides need it alike. One height and one width need none at any:
 * else ⌊h / 16⌋ would pass for ⌈h / 16⌉ − 1. The last call is larger: maps of one or two cells, as on the coarsest level of a
 * pyramid, tell too little.
 */
const SAMPLES = {
  batch: [2, 5, 3, 7, 4],
  height: [49, 71, 97, 64, 131],
  width: [72, 42, 64, 65, 197],
} as const;

/**
 * Milliseconds after which a run counts as long. It gives the memory that it has freed back to the system – large maps of many
 * sizes leave holes in which those of the next image do not fit – and begins with what shorter runs of other graphs have
 * freed since. Taking memory anew would cost short runs too much.
 */
const LONG_RUN = 1000;

/**
 * Makes `fn` fast on the native engine: follows it a few times, writes down what it does, and gives that to TensorFlow as
 * one graph, which serves every size that `inputs` leaves open. Variables are frozen to the values they have now.
 *
 * @throws AsMlpError `usage` when `fn` reads the values of a tensor, or does other things for other sizes, or `bf16` is
 * asked of a GPU.
 */
export async function compileForTensorFlow<F extends TensorFunction>(
  fn: F,
  options: CompileOptions,
): Promise<Compiled<F>> {
  const { inputs, precision } = options;
  // The operations of the graph runtime run on processors alone.
  const fused = nativeDevice() === 'cpu';
  if (precision === 'bf16' && !fused) throw bf16NotHere('a GPU computes');
  const program = await compileProgram(fn, options, fused ? fuseForRuntime : undefined);
  const names = {
    inputs: program.inputs.map((_, i) => `input_${i}`),
    outputs: program.outputs.map((_, i) => `output_${i}`),
  };
  const cast = precision === 'bf16' ? castProducts(program) : program;
  const graph = withoutConstants(lowerToTensorFlow(cast, names));
  // Loading the weights may have left as much free memory as they take, in pieces that those of the graph do not fit into.
  graphRuntime().trim();
  const session = openGraphSession(
    encodeGraphDef(graph.nodes),
    // Each operation uses all threads by itself; two at once would only take the caches from each other.
    fused ? { interOpThreads: 1 } : {},
  );
  await graph.initialise(session);
  // The first run begins with what is free too: a model may have given its weights up by then.
  let isLong = true;
  const run = async (values: readonly PlainTensor[]) => {
    const feeds = values.map((value, i) => ({ name: names.inputs[i]!, ...value }));
    if (isLong) graphRuntime().trim();
    const begun = performance.now();
    const outputs = (await session.run(feeds, names.outputs)) as PlainTensor[];
    isLong = performance.now() - begun > LONG_RUN;
    if (isLong) graphRuntime().trim();
    return outputs;
  };
  return graphFunction(inputs, { run, free: graphRuntime().free, dispose: () => session.close() });
}

/**
 * Batch sizes that are tried out where nothing else is open; not 1, where a mean over the batch has nothing to reduce. They
 * are 5 apart, so that one more or less – batch norm divides by one less – is no half, third or next even number.
 */
const FEW = [3, 8] as const;

/** Sizes that were not tried out, for which the rules that were found must hold together. */
const CHECKS = {
  batch: [1, 11, 4],
  height: [224, 97, 33],
  width: [343, 61, 800],
} as const;

/** Size number `index` of those that are tried out or checked. Lengths of lists have nothing to do with each other. */
function sampleOf(
  size: OpenSize,
  samples: Readonly<Record<'batch' | 'height' | 'width', readonly number[]>>,
  index: number,
): number {
  if (size === 'batch' || size === 'height' || size === 'width') return samples[size][index]!;
  return 2 + createRng(index).fork(samples.batch.join()).fork(size).int(50);
}

/**
 * What `fn` does, as a program for all sizes that `inputs` leave open.
 *
 * @param mayAssign whether `fn` may assign variables, which the program says then.
 * @throws AsMlpError as {@link compileForTensorFlow}.
 */
export function recordProgram(fn: TracedFunction, inputs: readonly InputSpec[], mayAssign = false): Program {
  return generalise(recordCalls(fn, inputs, mayAssign), inputs);
}

/**
 * {@link recordProgram} for a function that is compiled, with `rewrite` applied, through the cache on disk unless the
 * options turn it off. `rewrite` may not look at the values of variables.
 */
export async function compileProgram(
  fn: TensorFunction,
  { inputs, cache = true }: CompileOptions,
  rewrite: (program: Program) => Program = (program) => program,
): Promise<Program> {
  const traces = recordCalls((tensors) => fn(...tensors), inputs);
  const make = () => rewrite(generalise(traces, inputs));
  return cache ? await cachedProgram(traces, [inputs, rewrite.name], make) : make();
}

function recordCalls(fn: TracedFunction, inputs: readonly InputSpec[], mayAssign = false): Trace[] {
  const open = new Set(inputs.flatMap(({ shape }) => shape.filter((size) => typeof size === 'string')));
  const isSpatial = open.has('height') || open.has('width');
  const samples = isSpatial ? SAMPLES : { ...SAMPLES, batch: FEW };
  const calls = open.size === 0 ? 1 : isSpatial ? SAMPLES.height.length : FEW.length;
  return Array.from({ length: calls }, (_, index) => {
    const shapes = inputs.map(({ shape, dtype = 'float32' }) => ({
      shape: shape.map((size) => (typeof size === 'string' ? sampleOf(size, samples, index) : size)),
      dtype,
    }));
    const before = tf.memory().numTensors;
    const found = trace(fn, shapes, mayAssign);
    // Parameters take their memory at their first use, which is not a part of the function: look again.
    return tf.memory().numTensors === before ? found : trace(fn, shapes, mayAssign);
  });
}

function generalise(traces: readonly Trace[], inputs: readonly InputSpec[]): Program {
  const program = mergeTraces(traces);
  for (const index of CHECKS.batch.keys()) {
    const shapes = inputs.map(({ shape }) =>
      shape.map((size) => (typeof size === 'string' ? sampleOf(size, CHECKS, index) : size)),
    );
    assertConsistent(program, shapes);
  }
  return program;
}
