import { AsMlpError } from '@as-mlp/base';
import type { GraphNode } from '../graph-def.ts';
import { GraphLowering } from './graph-lowering.ts';
import type { Lowerings } from './lower-kernel.ts';
import type { Program } from './program.ts';
import { RUNTIME_KERNELS } from './runtime-kernels.ts';
import { KERNELS } from './tensorflow-kernels.ts';
import type { ValueId } from './trace.ts';

/** The names under which a lowered program is fed and read. */
export interface LoweredNames {
  /** The inputs and after them the draws. */
  readonly inputs: readonly string[];
  /** One name for each output; each is an Identity node, so that nothing renames it. */
  readonly outputs: readonly string[];
}

const EVERY_KERNEL: Lowerings = { ...RUNTIME_KERNELS, ...KERNELS };

/**
 * A program as nodes of a TensorFlow graph, variables frozen to their present values. Sizes that depend on the inputs
 * are computed in the graph, each once.
 *
 * @param kernels what may be used; with all, the default, no other TensorFlow than the one with the graph runtime can read it.
 * @throws AsMlpError `usage` for a kernel that has no counterpart there.
 */
export function lowerToTensorFlow(
  program: Program,
  names: LoweredNames,
  kernels: Lowerings = EVERY_KERNEL,
): GraphNode[] {
  const graph = new GraphLowering(program);
  lowerInto(graph, names, kernels);
  return graph.nodes;
}

/** Writes a whole program: placeholders, constants, kernels, outputs. */
export function lowerInto(
  graph: GraphLowering,
  names: LoweredNames,
  kernels: Lowerings = EVERY_KERNEL,
): void {
  graph.begin(names.inputs);
  const { inputs, draws } = graph.program;
  const fed = new Set<ValueId>([...inputs, ...draws]);
  for (const kernel of graph.program.kernels) {
    const lower = kernels[kernel.name];
    if (!lower) {
      throw new AsMlpError('usage', {
        what: `a compiled function uses ${kernel.name}, which has no counterpart in a graph yet`,
        fix: 'Run the function without compiling it',
      });
    }
    const start = graph.nodes.length;
    const before = graph.lastLayer;
    const taken = Object.values(kernel.inputs)
      .flat()
      .filter((id) => fed.has(id));
    lower(graph, kernel);
    if (taken.length === 0) continue;
    for (const id of kernel.outputs) fed.add(id);
    if (graph.lastLayer === before) graph.follow(start, new Set(taken.map((id) => graph.value(id))));
  }
  graph.end(names.outputs);
}
