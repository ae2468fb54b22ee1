import type { GraphAttribute } from '../graph-def.ts';
import type { Dim } from './dims.ts';
import { dimsOf, type GraphLowering } from './graph-lowering.ts';
import { type Lowerings, type LowerKernel, listOf, typeOf } from './lower-kernel.ts';
import type { ProgramKernel } from './program.ts';
import { ELEMENTWISE } from './tensorflow-elementwise.ts';
import { WINDOWS } from './tensorflow-windows.ts';
import type { ValueId } from './trace.ts';

const REDUCTIONS = ['Sum', 'Mean', 'Max', 'Min', 'Prod'] as const;

const INDEX: Readonly<Record<string, GraphAttribute>> = { Tidx: { type: 'int32' } };

function reduction(op: string): LowerKernel {
  return (graph, kernel) => {
    const inputs = [graph.input(kernel, 'x'), graph.ints(axesOf(graph, kernel))];
    const attributes = {
      ...typeOf(graph, kernel, 'x'),
      ...INDEX,
      keep_dims: { bool: kernel.attrs.keepDims === true },
    };
    graph.define(kernel, graph.node(op, inputs, attributes));
  };
}

/** The reduced axes; none given means all. */
function axesOf(graph: GraphLowering, { attrs, inputs }: ProgramKernel): readonly Dim[] {
  const axis = attrs.axis ?? attrs.reductionIndices;
  if (axis !== undefined) return dimsOf(axis);
  return graph.program.values[inputs.x as ValueId]!.shape.map((_, i) => i);
}

const matMul: LowerKernel = (graph, kernel) => {
  const { transposeA, transposeB } = kernel.attrs;
  const inputs = [graph.input(kernel, 'a'), graph.input(kernel, 'b')];
  const flags = [transposeA === true, transposeB === true];
  const rank = (key: string) => graph.program.values[kernel.inputs[key] as ValueId]!.shape.length;
  const type = typeOf(graph, kernel, 'a');
  if (rank('a') === 2 && rank('b') === 2) {
    const attributes = { ...type, transpose_a: { bool: flags[0]! }, transpose_b: { bool: flags[1]! } };
    graph.define(kernel, graph.node('MatMul', inputs, attributes));
  } else {
    const attributes = { ...type, adj_x: { bool: flags[0]! }, adj_y: { bool: flags[1]! } };
    graph.define(kernel, graph.node('BatchMatMulV2', inputs, attributes));
  }
};

const reshape: LowerKernel = (graph, kernel) => {
  const { T } = typeOf(graph, kernel, 'x');
  graph.define(kernel, graph.reshape(graph.input(kernel, 'x'), dimsOf(kernel.attrs.shape), T!));
};

const pad: LowerKernel = (graph, kernel) => {
  const pairs = (kernel.attrs.paddings as readonly (readonly Dim[])[]).map((pair) => graph.ints(pair));
  const paddings = graph.node('Pack', pairs, {
    N: { int: pairs.length },
    T: { type: 'int32' },
    axis: { int: 0 },
  });
  const value = graph.scalar(
    kernel.attrs.constantValue as number,
    graph.dtype(kernel.inputs.x as ValueId) === 'int32' ? 'int32' : 'float32',
  );
  const attributes = { ...typeOf(graph, kernel, 'x'), Tpaddings: { type: 'int32' } as const };
  graph.define(kernel, graph.node('PadV2', [graph.input(kernel, 'x'), paddings, value], attributes));
};

const several = (node: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? node : `${node}:${i}`));

/** How each kernel of tfjs-core is written in TensorFlow's operations. */
export const KERNELS: Lowerings = {
  ...ELEMENTWISE,
  ...WINDOWS,
  ...Object.fromEntries(REDUCTIONS.map((op) => [op, reduction(op)])),
  ArgMax: (graph, kernel) => {
    const [axis] = axesOf(graph, kernel);
    const attributes = { ...typeOf(graph, kernel, 'x'), ...INDEX, output_type: { type: 'int32' } as const };
    graph.define(kernel, graph.node('ArgMax', [graph.input(kernel, 'x'), graph.dim(axis!)], attributes));
  },
  BatchMatMul: matMul,
  Concat: (graph, kernel) => {
    const inputs = listOf(graph, kernel);
    const attributes = {
      N: { int: inputs.length },
      T: { type: graph.dtype(kernel.outputs[0]!) },
      ...INDEX,
    } as const;
    graph.define(
      kernel,
      graph.node('ConcatV2', [...inputs, graph.dim(kernel.attrs.axis as Dim)], attributes),
    );
  },
  ExpandDims: (graph, kernel) => {
    const inputs = [graph.input(kernel, 'input'), graph.dim(kernel.attrs.dim as Dim)];
    const attributes = { ...typeOf(graph, kernel, 'input'), Tdim: { type: 'int32' } as const };
    graph.define(kernel, graph.node('ExpandDims', inputs, attributes));
  },
  Fill: (graph, kernel) => {
    const dtype = graph.dtype(kernel.outputs[0]!);
    const value = graph.scalar(kernel.attrs.value as number, dtype === 'int32' ? 'int32' : 'float32');
    const inputs = [graph.ints(dimsOf(kernel.attrs.shape)), value];
    graph.define(kernel, graph.node('Fill', inputs, { T: { type: dtype }, index_type: { type: 'int32' } }));
  },
  GatherV2: (graph, kernel) => {
    const inputs = [
      graph.input(kernel, 'x'),
      graph.input(kernel, 'indices'),
      graph.dim(kernel.attrs.axis as Dim),
    ];
    const attributes = {
      Tparams: { type: graph.dtype(kernel.inputs.x as ValueId) },
      Tindices: { type: 'int32' },
      Taxis: { type: 'int32' },
      batch_dims: { int: (kernel.attrs.batchDims as number | undefined) ?? 0 },
    } as const;
    graph.define(kernel, graph.node('GatherV2', inputs, attributes));
  },
  Pack: (graph, kernel) => {
    const inputs = listOf(graph, kernel);
    const attributes = {
      N: { int: inputs.length },
      T: { type: graph.dtype(kernel.outputs[0]!) },
      axis: { int: kernel.attrs.axis as number },
    } as const;
    graph.define(kernel, graph.node('Pack', inputs, attributes));
  },
  PadV2: pad,
  Range: (graph, kernel) => {
    const { start, stop, step } = kernel.attrs;
    const inputs = [start, stop, step].map((value) => graph.dim(value as Dim));
    const range = graph.node('Range', inputs, INDEX);
    const dtype = graph.dtype(kernel.outputs[0]!);
    const cast = { SrcT: { type: 'int32' }, DstT: { type: dtype } } as const;
    graph.define(kernel, dtype === 'int32' ? range : graph.node('Cast', [range], cast));
  },
  Reshape: reshape,
  Slice: (graph, kernel) => {
    const inputs = [
      graph.input(kernel, 'x'),
      graph.ints(dimsOf(kernel.attrs.begin)),
      graph.ints(dimsOf(kernel.attrs.size)),
    ];
    graph.define(
      kernel,
      graph.node('Slice', inputs, { ...typeOf(graph, kernel, 'x'), Index: { type: 'int32' } }),
    );
  },
  Softmax: (graph, kernel) =>
    graph.define(
      kernel,
      graph.node('Softmax', [graph.input(kernel, 'logits')], typeOf(graph, kernel, 'logits')),
    ),
  LogSoftmax: (graph, kernel) =>
    graph.define(
      kernel,
      graph.node('LogSoftmax', [graph.input(kernel, 'logits')], typeOf(graph, kernel, 'logits')),
    ),
  SplitV: (graph, kernel) => {
    const sizes = dimsOf(kernel.attrs.numOrSizeSplits);
    const inputs = [graph.input(kernel, 'x'), graph.ints(sizes), graph.dim(kernel.attrs.axis as Dim)];
    const attributes = {
      ...typeOf(graph, kernel, 'x'),
      Tlen: { type: 'int32' },
      num_split: { int: sizes.length },
    } as const;
    graph.define(kernel, ...several(graph.node('SplitV', inputs, attributes), sizes.length));
  },
  Tile: (graph, kernel) => {
    const inputs = [graph.input(kernel, 'x'), graph.ints(dimsOf(kernel.attrs.reps))];
    const attributes = { ...typeOf(graph, kernel, 'x'), Tmultiples: { type: 'int32' } as const };
    graph.define(kernel, graph.node('Tile', inputs, attributes));
  },
  Transpose: (graph, kernel) => {
    const inputs = [graph.input(kernel, 'x'), graph.ints(dimsOf(kernel.attrs.perm))];
    const attributes = { ...typeOf(graph, kernel, 'x'), Tperm: { type: 'int32' } as const };
    graph.define(kernel, graph.node('Transpose', inputs, attributes));
  },
  Unpack: (graph, kernel) => {
    const count = kernel.outputs.length;
    const attributes = {
      ...typeOf(graph, kernel, 'value'),
      num: { int: count },
      axis: { int: (kernel.attrs.axis as number | undefined) ?? 0 },
    };
    graph.define(kernel, ...several(graph.node('Unpack', [graph.input(kernel, 'value')], attributes), count));
  },
  UnsortedSegmentSum: (graph, kernel) => {
    const inputs = [
      graph.input(kernel, 'x'),
      graph.input(kernel, 'segmentIds'),
      graph.dim(kernel.attrs.numSegments as Dim),
    ];
    const attributes = {
      ...typeOf(graph, kernel, 'x'),
      Tindices: { type: 'int32' },
      Tnumsegments: { type: 'int32' },
    } as const;
    graph.define(kernel, graph.node('UnsortedSegmentSum', inputs, attributes));
  },
};
