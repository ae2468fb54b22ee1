import { dimsOf } from './graph-lowering.ts';
import { inputOf } from './program-view.ts';
import type { Rule } from './rewrite.ts';

/** A 3×3 convolution with constant weights, a stride of 1 and zeros around. */
export const recogniseConvolution: Rule = (kernel, view) => {
  if (kernel.name !== 'Conv2D' || kernel.attrs.pad !== 'same') return undefined;
  const isOne = (key: string) => dimsOf(kernel.attrs[key] ?? 1).every((size) => size === 1);
  const [x, filter] = [inputOf(kernel, 'x')!, inputOf(kernel, 'filter')!];
  const [height, width, channels, columns] = view.shape(filter) as number[];
  if (!isOne('strides') || !isOne('dilations') || height !== 3 || width !== 3) return undefined;
  const weight = view.constantAs(filter, [9 * channels!, columns!]);
  return weight === undefined
    ? undefined
    : [{ name: 'Convolution', inputs: { x, weight }, attrs: {}, outputs: kernel.outputs }];
};
