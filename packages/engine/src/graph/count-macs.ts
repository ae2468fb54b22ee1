import type { MacCounts, TensorFunction } from '@as-mlp/nn';
import type { ProgramKernel } from './program.ts';
import { mergeTraces } from './program.ts';
import { recogniseLayers } from './recognise.ts';
import { trace, type ValueId } from './trace.ts';

/**
 * Counts the multiply-accumulates of a function for inputs of one size from a recording of it, without computing
 * anything: no engine need be open, and the size does not matter.
 *
 * @param shapes sizes of the arguments, all float32.
 * @throws AsMlpError `usage` when the function reads the values of a tensor.
 */
export function countMacs(fn: TensorFunction, shapes: readonly (readonly number[])[]): MacCounts {
  const inputs = shapes.map((shape) => ({ shape, dtype: 'float32' }) as const);
  const program = recogniseLayers(mergeTraces([trace((tensors) => fn(...tensors), inputs)]));
  const shapeOf = (id: ValueId) => program.values[id]!.shape as readonly number[];
  const elements = (id: ValueId) => shapeOf(id).reduce((a, b) => a * b, 1);
  const counts = { products: 0, norms: 0, shifts: 0 };
  for (const kernel of program.kernels) {
    const { name, inputs } = kernel;
    if (name === 'GroupNorm') counts.norms += elements(inputs.x as ValueId);
    else if (name === 'AxialShift') counts.shifts += elements(inputs.x as ValueId);
    else counts.products += products(kernel, shapeOf, elements);
  }
  return counts;
}

function products(
  { name, inputs, outputs, attrs }: ProgramKernel,
  shapeOf: (id: ValueId) => readonly number[],
  elements: (id: ValueId) => number,
): number {
  const shape = (key: string) => shapeOf(inputs[key] as ValueId);
  const filter = () => shape('filter') as [number, number, number, number];
  const made = elements(outputs[0]!);
  if (name === 'Linear' || name === 'Convolution') return made * shape('weight')[0]!;
  if (name === 'BatchMatMul') return made * shape('a').at(attrs.transposeA ? -2 : -1)!;
  if (name === 'Conv2D') {
    const [height, width, channels] = filter();
    return made * height * width * channels;
  }
  if (name === 'DepthwiseConv2dNative') return made * filter()[0] * filter()[1];
  if (name === 'Conv2DBackpropInput') {
    // A transposed convolution spreads each element over a window of the output.
    const [height, width, channels] = filter();
    return elements(inputs.dy as ValueId) * height * width * channels;
  }
  return 0;
}
