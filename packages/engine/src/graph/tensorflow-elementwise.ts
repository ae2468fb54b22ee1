import { type Lowerings, type LowerKernel, listOf, typeOf } from './lower-kernel.ts';
import type { ValueId } from './trace.ts';

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

/** Kernels that compute each element from those at the same place. */
export const ELEMENTWISE: Lowerings = {
  ...Object.fromEntries(UNARY.map((op) => [op, unary(op)])),
  ...Object.fromEntries(Object.entries(BINARY).map(([name, op]) => [name, binary(op)])),
  ...Object.fromEntries(LOGICAL.map((op) => [op, logical(op)])),
  AddN: (graph, kernel) => {
    const inputs = listOf(graph, kernel);
    const attributes = { N: { int: inputs.length }, T: { type: graph.dtype(kernel.outputs[0]!) } } as const;
    graph.define(kernel, graph.node('AddN', inputs, attributes));
  },
  Cast: (graph, kernel) => {
    const attributes = {
      SrcT: { type: graph.dtype(kernel.inputs.x as ValueId) },
      DstT: { type: graph.dtype(kernel.outputs[0]!) },
    };
    graph.define(kernel, graph.node('Cast', [graph.input(kernel, 'x')], attributes));
  },
  ClipByValue: (graph, kernel) => {
    const { clipValueMin, clipValueMax } = kernel.attrs;
    const limits = [clipValueMin, clipValueMax].map((limit) => graph.scalar(limit as number));
    graph.define(
      kernel,
      graph.node('ClipByValue', [graph.input(kernel, 'x'), ...limits], typeOf(graph, kernel, 'x')),
    );
  },
  LogicalNot: (graph, kernel) => graph.define(kernel, graph.node('LogicalNot', [graph.input(kernel, 'x')])),
  Select: (graph, kernel) => {
    const inputs = ['condition', 't', 'e'].map((key) => graph.input(kernel, key));
    graph.define(kernel, graph.node('SelectV2', inputs, typeOf(graph, kernel, 't')));
  },
  // 1 above 0, else alpha: the slope of ReLU.
  Step: (graph, kernel) => {
    const type = typeOf(graph, kernel, 'x');
    const isAbove = graph.node('Greater', [graph.input(kernel, 'x'), graph.scalar(0)], type);
    const values = [graph.scalar(1), graph.scalar(kernel.attrs.alpha as number)];
    graph.define(kernel, graph.node('SelectV2', [isAbove, ...values], type));
  },
};
