import { dimsOf } from './graph-lowering.ts';
import type { ProgramKernel } from './program.ts';
import { inputOf } from './program-view.ts';
import type { Rule } from './rewrite.ts';
import type { ValueId } from './trace.ts';

/**
 * A 3×3 convolution with constant weights, a stride of 1 and zeros around; and the gradient of its input, which is such a
 * convolution of the gradient of its output, with the filter turned around.
 */
export const recogniseConvolution: Rule = (kernel, view) => {
  const isGradient = kernel.name === 'Conv2DBackpropInput';
  if ((kernel.name !== 'Conv2D' && !isGradient) || kernel.attrs.pad !== 'same') return undefined;
  const isOne = (key: string) => dimsOf(kernel.attrs[key] ?? 1).every((size) => size === 1);
  const filter = inputOf(kernel, 'filter')!;
  const [height, width, channels, columns] = view.shape(filter) as number[];
  if (!isOne('strides') || !isOne('dilations') || height !== 3 || width !== 3) return undefined;
  const convolution = (x: ValueId, weight: ValueId): ProgramKernel => {
    return { name: 'Convolution', inputs: { x, weight }, attrs: {}, outputs: kernel.outputs };
  };
  if (isGradient) {
    const weight = view.make('float32', [9 * columns!, channels!]);
    const turned = { name: 'TurnedFilter', inputs: { filter }, attrs: {}, outputs: [weight] };
    return [turned, convolution(inputOf(kernel, 'dy')!, weight)];
  }
  const weight = view.constantAs(filter, [9 * channels!, columns!]);
  return weight === undefined ? undefined : [convolution(inputOf(kernel, 'x')!, weight)];
};
