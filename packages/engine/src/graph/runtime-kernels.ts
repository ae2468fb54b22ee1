import type { GraphAttribute } from '../graph-def.ts';
import { fuseEpilogues } from './fuse-epilogues.ts';
import { dimsOf, type GraphLowering } from './graph-lowering.ts';
import type { LowerKernel } from './lower-kernel.ts';
import type { Program, ProgramKernel } from './program.ts';
import { recogniseLayers } from './recognise.ts';
import type { ValueId } from './trace.ts';

/** The program in whole layers and what follows them, as the operations that the graph runtime adds to TensorFlow compute. */
export function fuseForRuntime(program: Program): Program {
  return fuseEpilogues(recogniseLayers(program));
}

const activation = ({ attrs }: ProgramKernel) => ({ string: String(attrs.activation ?? 'none') });

/** How layers are written in these operations. */
export const RUNTIME_KERNELS: Readonly<Record<string, LowerKernel>> = {
  Gelu: (graph, kernel) => lower(graph, kernel, 'AsMlpGelu', ['x']),
  GeluGradient: (graph, kernel) => lower(graph, kernel, 'AsMlpGeluGradient', ['x', 'dy']),
  GroupNorm: (graph, kernel) => {
    const epsilon = { float: kernel.attrs.epsilon as number };
    const attributes = { epsilon, activation: activation(kernel) };
    lower(graph, kernel, 'AsMlpGroupNorm', ['x', 'weight', 'bias'], attributes);
  },
  GroupNormGradient: (graph, kernel) => {
    const epsilon = { float: kernel.attrs.epsilon as number };
    lower(graph, kernel, 'AsMlpGroupNormGradient', ['x', 'weight', 'dy'], { epsilon });
  },
  Linear: (graph, kernel) => {
    const bias = 'bias' in kernel.inputs ? graph.input(kernel, 'bias') : noBias(graph, kernel);
    const residuals = 'residual' in kernel.inputs ? [graph.input(kernel, 'residual')] : [];
    const inputs = [graph.input(kernel, 'x'), graph.input(kernel, 'weight'), bias, ...residuals];
    const attributes = {
      residuals: { int: residuals.length },
      activation: activation(kernel),
      constant_weight: { bool: !graph.variablesChange },
    };
    graph.define(kernel, graph.node('AsMlpLinear', inputs, attributes));
  },
  AxialShift: (graph, kernel) => {
    const attributes = {
      axis: { int: kernel.attrs.axis as number },
      ends: { ints: dimsOf(kernel.attrs.ends) as number[] },
      displacements: { ints: dimsOf(kernel.attrs.displacements) as number[] },
    };
    lower(graph, kernel, 'AsMlpShift', ['x'], attributes);
  },
};

/** Writes a layer as one node with these inputs. */
function lower(
  graph: GraphLowering,
  kernel: ProgramKernel,
  op: string,
  keys: readonly string[],
  attributes: Readonly<Record<string, GraphAttribute>> = {},
): void {
  const inputs = keys.map((key) => graph.input(kernel, key));
  const before = kernel.after === undefined ? [] : [`^${graph.value(kernel.after).replace(/:\d+$/, '')}`];
  const node = graph.node(op, [...inputs, ...before], attributes);
  graph.define(kernel, node, ...kernel.outputs.slice(1).map((_, i) => `${node}:${i + 1}`));
}

function noBias(graph: GraphLowering, kernel: ProgramKernel): string {
  const columns = graph.program.values[kernel.inputs.weight as ValueId]!.shape[1] as number;
  return graph.constant({ dtype: 'float32', shape: [columns], data: new Float32Array(columns) });
}
