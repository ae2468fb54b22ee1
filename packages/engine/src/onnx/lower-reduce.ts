import type { KernelCall, Lowering, Lowerings } from './kernel-call.ts';

/** Kernels that combine elements along axes: reductions, norms and matrix products. */
export const REDUCING: Lowerings = {
  ArgMax: (call) => {
    const { graph } = call;
    const [axis] = call.axes('axis', call.rank('x'));
    const index = graph.node('ArgMax', [call.input('x')], { axis: { int: axis! }, keepdims: { int: 0 } });
    return graph.cast(index, 'int32');
  },
  BatchMatMul: (call) => {
    const a = turned(call, 'a', call.flag('transposeA'));
    const b = turned(call, 'b', call.flag('transposeB'));
    return call.graph.node('MatMul', [a, b]);
  },
  FusedBatchNorm: (call) => {
    // All of this but the last two follows from constants, and is done when a model is opened.
    const { graph } = call;
    const variance = graph.node('Add', [call.input('variance'), graph.float(call.number('varianceEpsilon'))]);
    const scale = call.has('scale') ? call.input('scale') : graph.float(1);
    const slope = graph.node('Div', [scale, graph.node('Sqrt', [variance])]);
    const shift = graph.node('Mul', [call.input('mean'), slope]);
    const offset = call.has('offset') ? call.input('offset') : graph.float(0);
    const product = graph.node('Mul', [call.input('x'), slope]);
    return graph.node('Add', [product, graph.node('Sub', [offset, shift])]);
  },
  GroupNorm: (call) => {
    // Each sample as one channel of an instance norm: an operator of its own, and the same statistics.
    const { graph } = call;
    const [batch] = call.shape('x');
    const samples = graph.node('Reshape', [call.input('x'), graph.int64s([0, 1, -1])]);
    const one = graph.constant('float32', [1], [1]);
    const zero = graph.constant('float32', [1], [0]);
    const epsilon = { epsilon: { float: call.number('epsilon') } };
    const normalized = graph.node('InstanceNormalization', [samples, one, zero], epsilon);
    const map = graph.reshape(normalized, [batch!, 1], call.shape('x'));
    if (!call.has('weight')) return map;
    return graph.node('Add', [graph.node('Mul', [map, call.input('weight')]), call.input('bias')]);
  },
  Linear: (call) => {
    // Of a map as it is: ONNX multiplies over the last axis.
    const product = call.graph.node('MatMul', [call.input('x'), call.input('weight')]);
    return call.has('bias') ? call.graph.node('Add', [product, call.input('bias')]) : product;
  },
  Max: reduce('ReduceMax', 'reductionIndices'),
  Mean: reduce('ReduceMean', 'axis'),
  Min: reduce('ReduceMin', 'axis'),
  Prod: reduce('ReduceProd', 'axis'),
  Sum: (call) => {
    const axes = call.graph.int64s(call.axes('axis', call.rank('x')));
    return call.graph.node('ReduceSum', [summable(call), axes], { keepdims: keepDims(call) });
  },
};

function reduce(op: string, key: string): Lowering {
  return (call) => {
    const axes = { ints: call.axes(key, call.rank('x')) };
    return call.graph.node(op, [summable(call)], { axes, keepdims: keepDims(call) });
  };
}

function keepDims(call: KernelCall): { int: number } {
  return { int: Number(call.flag('keepDims')) };
}

/** The input with the type of the output: the mean of integers is none. */
function summable(call: KernelCall): string {
  const { dtype } = call.output();
  const isSame = call.dtype('x') === dtype;
  return isSame ? call.input('x') : call.graph.cast(call.input('x'), dtype === 'int32' ? dtype : 'float32');
}

function turned(call: KernelCall, key: string, transpose: boolean): string {
  const rank = call.rank(key);
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  perm.splice(rank - 2, 2, rank - 1, rank - 2);
  return transpose ? call.graph.transpose(call.input(key), perm) : call.input(key);
}
