import { dimsOf } from './graph-lowering.ts';
import type { ProgramKernel } from './program.ts';
import type { LowerKernel } from './tensorflow-kernels.ts';

const activation = ({ attrs }: ProgramKernel) => ({ string: String(attrs.activation) });

/** How the kernels that `fuse` makes are written in the operations of the graph runtime. */
export const FUSED_KERNELS: Readonly<Record<string, LowerKernel>> = {
  AsMlpGelu: (graph, kernel) => graph.define(kernel, graph.node('AsMlpGelu', [graph.input(kernel, 'x')])),
  AsMlpGroupNorm: (graph, kernel) => {
    const inputs = ['x', 'gain', 'bias'].map((key) => graph.input(kernel, key));
    const attributes = {
      epsilon: { float: kernel.attrs.epsilon as number },
      activation: activation(kernel),
    };
    graph.define(kernel, graph.node('AsMlpGroupNorm', inputs, attributes));
  },
  AsMlpLinear: (graph, kernel) => {
    const keys = ['x', 'weight', 'bias', 'residual'].filter((key) => key in kernel.inputs);
    const inputs = keys.map((key) => graph.input(kernel, key));
    const attributes = {
      residuals: { int: inputs.length - 3 },
      activation: activation(kernel),
      constant_weight: { bool: !graph.variablesChange },
    };
    graph.define(kernel, graph.node('AsMlpLinear', inputs, attributes));
  },
  AsMlpShift: (graph, kernel) => {
    const attributes = {
      axis: { int: kernel.attrs.axis as number },
      ends: { ints: dimsOf(kernel.attrs.ends) as number[] },
      displacements: { ints: dimsOf(kernel.attrs.displacements) as number[] },
    };
    graph.define(kernel, graph.node('AsMlpShift', [graph.input(kernel, 'x')], attributes));
  },
};
