import { AsMlpError } from '@as-mlp/base';
import type { GraphAttribute } from '../graph-def.ts';
import { dimsOf, type GraphLowering } from './graph-lowering.ts';
import { type Lowerings, type LowerKernel, typeOf } from './lower-kernel.ts';
import type { ProgramKernel } from './program.ts';
import type { ValueId } from './trace.ts';

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
    graph.define(kernel, graph.node(op, inputs, resizing(graph, kernel)));
  };
}

const resizing = (graph: GraphLowering, kernel: ProgramKernel): Record<string, GraphAttribute> => ({
  ...typeOf(graph, kernel, 'images'),
  align_corners: { bool: kernel.attrs.alignCorners === true },
  half_pixel_centers: { bool: kernel.attrs.halfPixelCenters === true },
});

/** Kernels that compute each cell of a map from its surroundings: convolutions, pooling, resizing. */
export const WINDOWS: Lowerings = {
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
  MaxPool: pooling('MaxPool', ['x']),
  MaxPoolGrad: pooling('MaxPoolGrad', ['input', 'output', 'dy']),
  AvgPool: pooling('AvgPool', ['x']),
  ResizeBilinear: resize('ResizeBilinear'),
  ResizeNearestNeighbor: resize('ResizeNearestNeighbor'),
  ResizeNearestNeighborGrad: (graph, kernel) => {
    const [, height, width] = graph.program.values[kernel.inputs.images as ValueId]!.shape;
    const inputs = [graph.input(kernel, 'dy'), graph.ints([height!, width!])];
    graph.define(kernel, graph.node('ResizeNearestNeighborGrad', inputs, resizing(graph, kernel)));
  },
};
