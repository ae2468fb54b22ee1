import { AsMlpError } from '@as-mlp/base';
import type { GraphAttribute } from '../graph-def.ts';
import type { Dim } from './dims.ts';
import { dimsOf, type GraphLowering } from './graph-lowering.ts';
import type { ProgramKernel } from './program.ts';
import type { ValueId } from './trace.ts';

/** Writes the nodes of one kernel. */
export type LowerKernel = (graph: GraphLowering, kernel: ProgramKernel) => void;

/** Functions of one tensor, which have the same name in both. */
const UNARY = [
  'Abs',
  'Ceil',
  'Erf',
  'Exp',
  'Floor',
  'Log',
  'Log1p',
  'Neg',
  'Reciprocal',
  'Relu',
  'Relu6',
  'Round',
  'Rsqrt',
  'Sigmoid',
  'Sign',
  'Softplus',
  'Sqrt',
  'Square',
  'Tanh',
  'ZerosLike',
  'OnesLike',
] as const;

/** TensorFlow's name of functions of two tensors. */
const BINARY: Readonly<Record<string, string>> = {
  Add: 'AddV2',
  Equal: 'Equal',
  FloorDiv: 'FloorDiv',
  Greater: 'Greater',
  GreaterEqual: 'GreaterEqual',
  Less: 'Less',
  LessEqual: 'LessEqual',
  Maximum: 'Maximum',
  Minimum: 'Minimum',
  Mod: 'FloorMod',
  Multiply: 'Mul',
  NotEqual: 'NotEqual',
  Pow: 'Pow',
  RealDiv: 'RealDiv',
  SquaredDifference: 'SquaredDifference',
  Sub: 'Sub',
};

/** On booleans alone; they have no type attribute. */
const LOGICAL = ['LogicalAnd', 'LogicalOr'] as const;

const REDUCTIONS = ['Sum', 'Mean', 'Max', 'Min', 'Prod'] as const;

const typeOf = (
  graph: GraphLowering,
  kernel: ProgramKernel,
  key: string,
): Record<string, GraphAttribute> => ({
  T: { type: graph.dtype(kernel.inputs[key] as ValueId) },
});
const INDEX: Readonly<Record<string, GraphAttribute>> = { Tidx: { type: 'int32' } };

function unary(op: string): LowerKernel {
  return (graph, kernel) =>
    graph.define(kernel, graph.node(op, [graph.input(kernel, 'x')], typeOf(graph, kernel, 'x')));
}

function binary(op: string): LowerKernel {
  return (graph, kernel) => {
    const inputs = [graph.input(kernel, 'a'), graph.input(kernel, 'b')];
    graph.define(kernel, graph.node(op, inputs, typeOf(graph, kernel, 'a')));
  };
}

function logical(op: string): LowerKernel {
  return (graph, kernel) =>
    graph.define(kernel, graph.node(op, [graph.input(kernel, 'a'), graph.input(kernel, 'b')]));
}

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

/** Kernels whose inputs are a list come under the keys 0, 1, 2, … */
const listOf = (graph: GraphLowering, { inputs }: ProgramKernel): string[] =>
  Object.values(inputs).map((id) => graph.value(id as ValueId));

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

/** Strides, kernel sizes and dilations along `[B, H, W, C]`. */
function window(size: unknown): GraphAttribute {
  const [height, width] = Array.isArray(size) ? (size as number[]) : [size as number, size as number];
  return { ints: [1, height!, width!, 1] };
}

function convolution(
  op: string,
  inputs: (graph: GraphLowering, kernel: ProgramKernel) => string[],
): LowerKernel {
  return (graph, kernel) => {
    const { pad: padding, strides, dilations } = kernel.attrs;
    if (padding !== 'same' && padding !== 'valid') {
      const fix = 'Pad first, then convolve with valid padding';
      throw new AsMlpError('usage', { what: `${op} with numeric padding is not compiled`, fix });
    }
    const attributes = {
      T: { type: graph.dtype(kernel.outputs[0]!) } as const,
      strides: window(strides),
      padding: { string: padding.toUpperCase() },
      data_format: { string: 'NHWC' },
      ...(dilations === undefined ? {} : { dilations: window(dilations) }),
    };
    graph.define(kernel, graph.node(op, inputs(graph, kernel), attributes));
  };
}

function pooling(op: string, inputs: readonly string[]): LowerKernel {
  return (graph, kernel) => {
    const attributes = {
      ...typeOf(graph, kernel, inputs[0]!),
      ksize: window(kernel.attrs.filterSize),
      strides: window(kernel.attrs.strides),
      padding: { string: String(kernel.attrs.pad).toUpperCase() },
    };
    graph.define(
      kernel,
      graph.node(
        op,
        inputs.map((key) => graph.input(kernel, key)),
        attributes,
      ),
    );
  };
}

function resize(op: string): LowerKernel {
  return (graph, kernel) => {
    const inputs = [graph.input(kernel, 'images'), graph.ints(dimsOf(kernel.attrs.size))];
    graph.define(
      kernel,
      graph.node(op, inputs, {
        ...typeOf(graph, kernel, 'images'),
        align_corners: { bool: kernel.attrs.alignCorners === true },
        half_pixel_centers: { bool: kernel.attrs.halfPixelCenters === true },
      }),
    );
  };
}

const several = (node: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => (i === 0 ? node : `${node}:${i}`));

/** How each kernel of tfjs-core is written in TensorFlow's operations. */
export const KERNELS: Readonly<Record<string, LowerKernel>> = {
  ...Object.fromEntries(UNARY.map((op) => [op, unary(op)])),
  ...Object.fromEntries(Object.entries(BINARY).map(([name, op]) => [name, binary(op)])),
  ...Object.fromEntries(LOGICAL.map((op) => [op, logical(op)])),
  ...Object.fromEntries(REDUCTIONS.map((op) => [op, reduction(op)])),
  AddN: (graph, kernel) => {
    const inputs = listOf(graph, kernel);
    const attributes = { N: { int: inputs.length }, T: { type: graph.dtype(kernel.outputs[0]!) } } as const;
    graph.define(kernel, graph.node('AddN', inputs, attributes));
  },
  BatchMatMul: matMul,
  Cast: (graph, kernel) => {
    const attributes = {
      SrcT: { type: graph.dtype(kernel.inputs.x as ValueId) },
      DstT: { type: graph.dtype(kernel.outputs[0]!) },
    };
    graph.define(kernel, graph.node('Cast', [graph.input(kernel, 'x')], attributes));
  },
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
  Conv2D: convolution('Conv2D', (graph, kernel) => [graph.input(kernel, 'x'), graph.input(kernel, 'filter')]),
  Conv2DBackpropFilter: convolution('Conv2DBackpropFilter', (graph, kernel) => [
    graph.input(kernel, 'x'),
    graph.ints(dimsOf(kernel.attrs.filterShape)),
    graph.input(kernel, 'dy'),
  ]),
  Conv2DBackpropInput: convolution('Conv2DBackpropInput', (graph, kernel) => [
    graph.ints(dimsOf(kernel.attrs.inputShape)),
    graph.input(kernel, 'filter'),
    graph.input(kernel, 'dy'),
  ]),
  DepthwiseConv2dNative: convolution('DepthwiseConv2dNative', (graph, kernel) => [
    graph.input(kernel, 'x'),
    graph.input(kernel, 'filter'),
  ]),
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
  LogicalNot: (graph, kernel) => graph.define(kernel, graph.node('LogicalNot', [graph.input(kernel, 'x')])),
  MaxPool: pooling('MaxPool', ['x']),
  AvgPool: pooling('AvgPool', ['x']),
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
  ResizeBilinear: resize('ResizeBilinear'),
  ResizeNearestNeighbor: resize('ResizeNearestNeighbor'),
  Select: (graph, kernel) => {
    const inputs = ['condition', 't', 'e'].map((key) => graph.input(kernel, key));
    graph.define(kernel, graph.node('SelectV2', inputs, typeOf(graph, kernel, 't')));
  },
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
