import { dimsOf } from './graph-lowering.ts';
import { inputOf } from './program-view.ts';
import type { Rule } from './rewrite.ts';

/** A depthwise convolution along one axis whose kernels hold a single 1. */
export const recogniseAxialShift: Rule = (kernel, view) => {
  if (kernel.name !== 'DepthwiseConv2dNative' || kernel.attrs.pad !== 'same') return undefined;
  const isOne = (key: string) => dimsOf(kernel.attrs[key] ?? 1).every((size) => size === 1);
  const [x, filter] = [inputOf(kernel, 'x')!, inputOf(kernel, 'filter')!];
  const constant = view.constant(filter);
  if (!isOne('strides') || !isOne('dilations') || constant?.kind !== 'data') return undefined;
  const [height, width, channels, multiplier] = view.shape(filter) as number[];
  const length = height === 1 ? width! : height!;
  if ((height !== 1 && width !== 1) || multiplier !== 1 || length % 2 === 0) return undefined;
  const groups = shiftGroups(constant.data, length, channels!);
  if (!groups) return undefined;
  const attrs = { axis: height === 1 ? 2 : 1, ...groups };
  return [{ name: 'AxialShift', inputs: { x }, attrs, outputs: kernel.outputs }];
};

/** Neighbouring channels that move alike, from taps `[length, channels]`. */
function shiftGroups(
  taps: ArrayLike<number>,
  length: number,
  channels: number,
): { ends: number[]; displacements: number[] } | undefined {
  const ends: number[] = [];
  const displacements: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const column = Array.from({ length }, (_, tap) => taps[tap * channels + channel]);
    const tap = column.indexOf(1);
    if (tap < 0 || column.some((value, i) => value !== (i === tap ? 1 : 0))) return undefined;
    const displacement = (length - 1) / 2 - tap;
    if (displacements.at(-1) === displacement) ends[ends.length - 1] = channel + 1;
    else {
      ends.push(channel + 1);
      displacements.push(displacement);
    }
  }
  return { ends, displacements };
}
