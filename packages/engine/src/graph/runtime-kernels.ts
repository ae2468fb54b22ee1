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

const typeOf = (graph: GraphLowering, kernel: ProgramKernel) => ({
  type: graph.dtype(kernel.inputs.x as ValueId),
});
const typeMade = (graph: GraphLowering, kernel: ProgramKernel) => ({ type: graph.dtype(kernel.outputs[0]!) });
const activation = ({ attrs }: ProgramKernel) => ({ string: String(attrs.activation ?? 'none') });

/** How layers are written in these operations. */
export const RUNTIME_KERNELS: Readonly<Record<string, LowerKernel>> = {
  Gelu: (graph, kernel) => lower(graph, kernel, 'AsMlpGelu', ['x']),
  GeluGradient: (graph, kernel) => lower(graph, kernel, 'AsMlpGeluGradient', ['x', 'dy']),
  GroupNorm: (graph, kernel) => {
    const attributes = {
      epsilon: { float: kernel.attrs.epsilon as number },
      activation: activation(kernel),
      T: typeOf(graph, kernel),
      U: typeMade(graph, kernel),
    };
    lower(graph, kernel, 'AsMlpGroupNorm', ['x', 'weight', 'bias'], attributes);
  },
  GroupNormGradient: (graph, kernel) => {
    const epsilon = { float: kernel.attrs.epsilon as number };
    lower(graph, kernel, 'AsMlpGroupNormGradient', ['x', 'weight', 'dy'], { epsilon });
  },
  Linear: (graph, kernel) => {
    const { bias, residuals } = addends(graph, kernel, 'weight');
    const given = graph.input(kernel, 'weight');
    // Weights that change are packed in each run.
    const weight = graph.variablesChange ? given : graph.sharedNode('AsMlpPack', given);
    const inputs = [graph.input(kernel, 'x'), weight, bias, ...residuals];
    const attributes = { residuals: { int: residuals.length }, activation: activation(kernel) };
    graph.define(kernel, layer(graph, 'AsMlpLinear', inputs, attributes));
  },
  Convolution: (graph, kernel) => {
    const bias = 'bias' in kernel.inputs ? graph.input(kernel, 'bias') : noBias(graph, kernel, 'weight');
    const weight = graph.sharedNode('AsMlpPack', graph.input(kernel, 'weight'));
    const scales = 'scale' in kernel.inputs ? [graph.input(kernel, 'scale')] : [];
    const attributes = { scales: { int: scales.length }, activation: activation(kernel) };
    const inputs = [graph.input(kernel, 'x'), weight, bias, ...scales];
    graph.define(kernel, layer(graph, 'AsMlpConvolution', inputs, attributes));
  },
  TurnedFilter: (graph, kernel) => {
    const T = { type: 'float32' } as const;
    const [rows, columns] = graph.program.values[kernel.outputs[0]!]!.shape;
    const filter = [graph.input(kernel, 'filter'), graph.ints([0, 1])];
    const turned = graph.node('ReverseV2', filter, { T, Tidx: { type: 'int32' } });
    const swapped = graph.node('Transpose', [turned, graph.ints([0, 1, 3, 2])], {
      T,
      Tperm: { type: 'int32' },
    });
    graph.define(kernel, graph.reshape(swapped, [rows!, columns!], T));
  },
  AxialShift: (graph, kernel) => {
    const attributes = {
      axis: { int: kernel.attrs.axis as number },
      ends: { ints: dimsOf(kernel.attrs.ends) as number[] },
      displacements: { ints: dimsOf(kernel.attrs.displacements) as number[] },
      T: typeOf(graph, kernel),
    };
    lower(graph, kernel, 'AsMlpShift', ['x'], attributes);
  },
  RoiAlign: (graph, kernel) =>
    lower(graph, kernel, 'AsMlpRoiAlign', ['rois', ...mapsOf(kernel)], pyramid(kernel)),
  RoiAlignGradient: (graph, kernel) =>
    lower(graph, kernel, 'AsMlpRoiAlignGradient', ['rois', 'dy', ...mapsOf(kernel)], pyramid(kernel)),
  /** A product that TensorFlow computes, whose kernels know every instruction that there is for bfloat16. */
  Product: (graph, kernel) => {
    const [x, weight, y] = [kernel.inputs.x, kernel.inputs.weight, kernel.outputs[0]].map(
      (id) => graph.program.values[id as ValueId]!.shape,
    );
    const T = typeOf(graph, kernel);
    const isMap = x!.length !== 2;
    const map = graph.input(kernel, 'x');
    const rows = isMap ? graph.reshape(map, [-1, weight![0]!], T) : map;
    const product = graph.node('MatMul', [rows, graph.input(kernel, 'weight')], { T });
    graph.define(kernel, isMap ? graph.reshape(product, y!, T) : product);
  },
  Epilogue: (graph, kernel) => {
    const { bias, residuals } = addends(graph, kernel, 'x');
    const attributes = {
      residuals: { int: residuals.length },
      activation: activation(kernel),
      U: typeMade(graph, kernel),
    };
    const inputs = [graph.input(kernel, 'x'), bias, ...residuals];
    graph.define(kernel, layer(graph, 'AsMlpEpilogue', inputs, attributes));
  },
};

/** The keys of the maps of a pyramid: 0, 1, 2, … */
const mapsOf = ({ inputs }: ProgramKernel) => Object.keys(inputs).filter((key) => /^\d+$/.test(key));
const pyramid = (kernel: ProgramKernel) => ({
  size: { int: kernel.attrs.size as number },
  strides: { ints: dimsOf(kernel.attrs.strides) as number[] },
  N: { int: mapsOf(kernel).length },
});

/** Writes a layer as one node with these inputs. */
function lower(
  graph: GraphLowering,
  kernel: ProgramKernel,
  op: string,
  keys: readonly string[],
  attributes: Readonly<Record<string, GraphAttribute>> = {},
): void {
  const inputs = keys.map((key) => graph.input(kernel, key));
  const node = layer(graph, op, inputs, attributes, kernel.after);
  graph.define(kernel, node, ...kernel.outputs.slice(1).map((_, i) => `${node}:${i + 1}`));
}

/**
 * Adds the node of a layer. It waits for the layer before it in the program, even where it does not need it: TensorFlow takes
 * what is ready in the order in which it became so, breadth first, and would hold the maps of all branches at once. Each layer
 * uses all threads by itself, so nothing is lost.
 *
 * @param after a value that must be there before.
 */
function layer(
  graph: GraphLowering,
  op: string,
  inputs: readonly string[],
  attributes: Readonly<Record<string, GraphAttribute>>,
  after?: ValueId,
): string {
  const before = [graph.lastLayer, after === undefined ? undefined : graph.value(after)]
    .filter((name) => name !== undefined)
    .map((name) => `^${name.replace(/:\d+$/, '')}`);
  graph.lastLayer = graph.node(op, [...inputs, ...new Set(before)], attributes);
  return graph.lastLayer;
}

/** What is added to a product: the bias, zeros where there is none, and the residual. `like` has as many columns. */
function addends(graph: GraphLowering, kernel: ProgramKernel, like: 'weight' | 'x') {
  const bias = 'bias' in kernel.inputs ? graph.input(kernel, 'bias') : noBias(graph, kernel, like);
  return { bias, residuals: 'residual' in kernel.inputs ? [graph.input(kernel, 'residual')] : [] };
}

function noBias(graph: GraphLowering, kernel: ProgramKernel, like: 'weight' | 'x'): string {
  const columns = graph.program.values[kernel.inputs[like] as ValueId]!.shape.at(-1) as number;
  return graph.constant({ dtype: 'float32', shape: [columns], data: new Float32Array(columns) });
}
