import { AsMlpError } from '@as-mlp/base';
import type { Precision } from '@as-mlp/nn';
import type { GraphNode } from '../graph-def.ts';
import { castProducts } from './cast-products.ts';
import { GraphLowering } from './graph-lowering.ts';
import type { Program } from './program.ts';
import { fuseForRuntime, RUNTIME_KERNELS } from './runtime-kernels.ts';
import { KERNELS, type LowerKernel } from './tensorflow-kernels.ts';

/** The names under which a lowered program is fed and read. */
export interface LoweredNames {
  /** The inputs and after them the draws. */
  readonly inputs: readonly string[];
  /** One name for each output; each is an Identity node, so that nothing renames it. */
  readonly outputs: readonly string[];
}

/** How {@link lowerToTensorFlow} writes. */
export interface LoweringOptions {
  /**
   * Whether operations that the graph runtime adds to TensorFlow may stand for several of its own. No other TensorFlow
   * can read such a graph. Default false.
   */
  readonly fused?: boolean;
  /** `bf16`: the products of a fused graph are computed in bfloat16, see {@link castProducts}. Default `float32`. */
  readonly precision?: Precision;
}

/**
 * A program as nodes of a TensorFlow graph, variables frozen to their present values. Sizes that depend on the inputs
 * are computed in the graph, each once.
 *
 * @throws AsMlpError `usage` for a kernel that has no counterpart here.
 */
export function lowerToTensorFlow(
  program: Program,
  names: LoweredNames,
  options: LoweringOptions = {},
): GraphNode[] {
  const fused = options.fused ? fuseForRuntime(program) : program;
  const graph = new GraphLowering(options.precision === 'bf16' ? castProducts(fused) : fused);
  lowerInto(graph, names);
  return graph.nodes;
}

/** Writes a whole program: placeholders, constants, kernels, outputs. */
export function lowerInto(graph: GraphLowering, names: LoweredNames): void {
  graph.begin(names.inputs);
  for (const kernel of graph.program.kernels) {
    const lower: LowerKernel | undefined = KERNELS[kernel.name] ?? RUNTIME_KERNELS[kernel.name];
    if (!lower) {
      throw new AsMlpError('usage', {
        what: `a compiled function uses ${kernel.name}, which has no counterpart in a graph yet`,
        fix: 'Run the function without compiling it',
      });
    }
    lower(graph, kernel);
  }
  graph.end(names.outputs);
}
