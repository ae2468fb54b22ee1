import { type Dim, sameDim } from '../graph/dims.ts';
import type { KernelCall, Lowering, Lowerings } from './kernel-call.ts';
import type { OnnxAttribute } from './model-proto.ts';

const TO_CHANNELS_FIRST = [0, 3, 1, 2];
const TO_CHANNELS_LAST = [0, 2, 3, 1];

/** Kernels with a window over height and width. ONNX has channels first: they stand between two transpositions. */
export const WINDOWS: Lowerings = {
  AvgPool: pool('AveragePool'),
  Conv2D: (call) => {
    const [height, width] = filterSize(call);
    const filter = call.graph.transpose(call.input('filter'), [3, 2, 0, 1]);
    return channelsFirst(call, 'x', (x) =>
      call.graph.node('Conv', [x, filter], window(call, [height, width])),
    );
  },
  Conv2DBackpropInput: (call) => transposedConvolution(call),
  DepthwiseConv2dNative: (call) => {
    const { graph } = call;
    const size = filterSize(call);
    const [channels, multiplier] = call.shape('filter').slice(2) as number[];
    const filter = graph.transpose(call.input('filter'), [2, 3, 0, 1]);
    const shape = [channels!, multiplier!, ...size];
    const flat = graph.reshape(filter, shape, [channels! * multiplier!, 1, ...size]);
    const attributes = { ...window(call, size), group: { int: channels! } };
    return channelsFirst(call, 'x', (x) => graph.node('Conv', [x, flat], attributes));
  },
  MaxPool: pool('MaxPool'),
};

function pool(op: string): Lowering {
  return (call) => {
    const attributes = window(call, pair(call, 'filterSize'));
    return channelsFirst(call, 'x', (x) => call.graph.node(op, [x], attributes));
  };
}

/** The gradient of a convolution, which is a convolution upwards. */
function transposedConvolution(call: KernelCall): string {
  const { graph } = call;
  const size = filterSize(call);
  const strides = pair(call, 'strides');
  if (call.attribute('dataFormat') === 'NCHW') throw call.unsupported('with channels first');
  // Windows that do not overlap: then padding can only have been on the far sides, and is cut off there.
  if (
    size.some((side, i) => side > strides[i]!) ||
    !['same', 'valid', 0].includes(call.attribute('pad') as string)
  ) {
    throw call.unsupported(`with a filter of ${size.join('×')} and strides of ${strides.join('×')}`);
  }
  const filter = graph.transpose(call.input('filter'), [3, 2, 0, 1]);
  const attributes = {
    kernel_shape: { ints: size },
    strides: { ints: strides },
    // A filter smaller than its stride leaves zeros between, and at the end.
    output_padding: { ints: size.map((side, i) => strides[i]! - side) },
  };
  const whole = channelsFirst(call, 'dy', (dy) => graph.node('ConvTranspose', [dy, filter], attributes));
  const [, height, width] = call.shape('dy');
  const wanted = call.output().shape.slice(1, 3);
  const given = [height!, width!].map((dim, i): Dim => times(dim, strides[i]!));
  if (wanted.every((dim, i) => sameDim(dim, given[i]!))) return whole;
  const bounds = [graph.int64s([0, 0]), graph.sizes.vector(wanted), graph.int64s([1, 2])];
  return graph.node('Slice', [whole, ...bounds]);
}

function times(dim: Dim, factor: number): Dim {
  return typeof dim === 'number' ? dim * factor : { op: 'mul', left: dim, right: factor };
}

function channelsFirst(call: KernelCall, key: string, compute: (x: string) => string): string {
  if (call.attribute('dataFormat') === 'NCHW') throw call.unsupported('with channels first');
  const x = call.graph.transpose(call.input(key), TO_CHANNELS_FIRST);
  return call.graph.transpose(compute(x), TO_CHANNELS_LAST);
}

function filterSize(call: KernelCall): [height: number, width: number] {
  return call.shape('filter').slice(0, 2) as [number, number];
}

/** A number for both axes, or one for each. */
function pair(call: KernelCall, key: string): [number, number] {
  if (call.attribute(key) === undefined) return [1, 1];
  const [first, second = first] = call.numbers(key);
  return [first!, second!];
}

function window(call: KernelCall, size: readonly [number, number]): Record<string, OnnxAttribute> {
  if (call.attribute('dimRoundingMode') === 'ceil') throw call.unsupported('that rounds sizes up');
  const strides = pair(call, 'strides');
  const dilations = pair(call, 'dilations');
  return {
    kernel_shape: { ints: size },
    strides: { ints: strides },
    ...(dilations.some((step) => step > 1) && { dilations: { ints: dilations } }),
    ...padding(call, size, dilations, strides),
  };
}

function padding(
  call: KernelCall,
  size: readonly number[],
  dilations: readonly number[],
  strides: readonly number[],
): Record<string, OnnxAttribute> {
  const pad = call.attribute('pad');
  if (pad === 'valid') return {};
  if (pad === 'same') {
    // With larger strides the amount depends on the size of the map.
    if (strides.some((stride) => stride > 1)) return { auto_pad: { text: 'SAME_UPPER' } };
    const total = size.map((side, i) => (side - 1) * dilations[i]!);
    const before = total.map((amount) => Math.floor(amount / 2));
    return { pads: { ints: [...before, ...total.map((amount, i) => amount - before[i]!)] } };
  }
  if (typeof pad === 'number') return { pads: { ints: [pad, pad, pad, pad] } };
  const [, rows, columns] = pad as readonly (readonly number[])[];
  return { pads: { ints: [rows![0]!, columns![0]!, rows![1]!, columns![1]!] } };
}
