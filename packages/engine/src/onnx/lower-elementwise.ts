import type { Lowering, Lowerings } from './kernel-call.ts';
import { onnxDtype } from './tensors.ts';

/** An operator with the inputs of the kernel. */
const same =
  (op: string): Lowering =>
  (call) =>
    call.graph.node(op, call.inputs());

/** Kernels that work on each element, or on pairs of them. */
export const ELEMENTWISE: Lowerings = {
  Abs: same('Abs'),
  Add: same('Add'),
  Cast: (call) => call.graph.cast(call.input('x'), onnxDtype(call.output().dtype)),
  Ceil: same('Ceil'),
  Equal: same('Equal'),
  Erf: same('Erf'),
  Exp: same('Exp'),
  Floor: same('Floor'),
  Gelu: (call) => {
    // In the form that runtimes recognise as one operator.
    const { graph } = call;
    const x = call.input('x');
    const error = graph.node('Erf', [graph.node('Div', [x, graph.float(Math.SQRT2)])]);
    const product = graph.node('Mul', [x, graph.node('Add', [error, graph.float(1)])]);
    return graph.node('Mul', [product, graph.float(0.5)]);
  },
  Greater: same('Greater'),
  GreaterEqual: same('GreaterOrEqual'),
  Less: same('Less'),
  LessEqual: same('LessOrEqual'),
  Log: same('Log'),
  LogicalAnd: same('And'),
  LogicalNot: same('Not'),
  LogicalOr: same('Or'),
  Maximum: same('Max'),
  Minimum: same('Min'),
  Multiply: same('Mul'),
  Neg: same('Neg'),
  NotEqual: (call) => call.graph.node('Not', [call.graph.node('Equal', call.inputs())]),
  Pow: same('Pow'),
  RealDiv: same('Div'),
  Reciprocal: same('Reciprocal'),
  Relu: same('Relu'),
  Relu6: (call) => call.graph.node('Clip', [call.input('x'), call.graph.float(0), call.graph.float(6)]),
  Rsqrt: (call) => call.graph.node('Reciprocal', [call.graph.node('Sqrt', call.inputs())]),
  Select: same('Where'),
  Sigmoid: same('Sigmoid'),
  Softmax: (call) =>
    call.graph.node('Softmax', [call.input('logits')], { axis: { int: call.number('dim') } }),
  LogSoftmax: (call) =>
    call.graph.node('LogSoftmax', [call.input('logits')], { axis: { int: call.number('axis') } }),
  Sqrt: same('Sqrt'),
  Square: (call) => call.graph.node('Mul', [call.input('x'), call.input('x')]),
  SquaredDifference: (call) => {
    const difference = call.graph.node('Sub', call.inputs());
    return call.graph.node('Mul', [difference, difference]);
  },
  Sub: same('Sub'),
  Tanh: same('Tanh'),
};
