import { type Dim, isFixed, sameDim } from '../graph/dims.ts';
import type { KernelCall, Lowerings } from './kernel-call.ts';
import { onnxDtype } from './tensors.ts';

const END = Number.POSITIVE_INFINITY;

/** Kernels that move elements and compute none. */
export const SHAPING: Lowerings = {
  Concat: (call) => {
    const [axis] = call.axes('axis', call.output().shape.length);
    return call.graph.node('Concat', call.inputs(), { axis: { int: axis! } });
  },
  ExpandDims: (call) => {
    const [axis] = call.axes('dim', call.rank('input') + 1);
    return call.graph.node('Unsqueeze', [call.input('input'), call.graph.int64s([axis!])]);
  },
  Fill: (call) => {
    const { dtype, shape } = call.output();
    return call.graph.fill(onnxDtype(dtype), shape, Number(call.attribute('value')));
  },
  Identity: (call) => call.input('x'),
  Pack: (call) => {
    const { graph } = call;
    const [axis] = call.axes('axis', call.output().shape.length);
    const wide = call.inputs().map((input) => graph.node('Unsqueeze', [input, graph.int64s([axis!])]));
    return graph.node('Concat', wide, { axis: { int: axis! } });
  },
  PadV2: (call) => {
    const { graph } = call;
    const pairs = call.attribute('paddings') as readonly (readonly Dim[])[];
    const amounts = [...pairs.map(([before]) => before!), ...pairs.map(([, after]) => after!)];
    const value = graph.constant(onnxDtype(call.dtype('x')), [], [call.number('constantValue')]);
    return graph.node('Pad', [call.input('x'), graph.sizes.vector(amounts), value]);
  },
  Range: (call) => {
    const { graph } = call;
    const limits = ['start', 'stop', 'step'].map((key) => call.dims(key)[0]!);
    const dtype = onnxDtype(call.output().dtype);
    if (limits.every(isFixed)) {
      return graph.node(
        'Range',
        limits.map((limit) => graph.constant(dtype, [], [limit])),
      );
    }
    const range = graph.node(
      'Range',
      limits.map((limit) => graph.sizes.scalar(limit)),
    );
    return graph.cast(range, dtype);
  },
  Reshape: (call) => call.graph.reshape(call.input('x'), call.shape('x'), call.output().shape),
  Slice: (call) => {
    const shape = call.shape('x');
    const size = call.dims('size');
    const bounds = call
      .dims('begin')
      .map((begin, axis) => ({ axis, begin, end: end(begin, size[axis] ?? -1) }));
    return slice(
      call,
      bounds.filter((bound) => !isWhole(bound, shape[bound.axis]!)),
    );
  },
  SplitV: (call) => {
    const [axis] = call.axes('axis', call.rank('x'));
    const sizes = call.kernel.outputs.map((_, i) => call.output(i).shape[axis!]!);
    const inputs = [call.input('x'), call.graph.sizes.vector(sizes)];
    return call.graph.nodeOf('Split', inputs, { axis: { int: axis! } }, sizes.length);
  },
  StridedSlice: (call) => {
    if (call.number('ellipsisMask') || call.number('newAxisMask')) throw call.unsupported('with new axes');
    const masked = (key: string, axis: number) => Boolean(call.number(key) & (1 << axis));
    const strides = call.numbers('strides');
    const ends = call.dims('end');
    const bounds = call.dims('begin').map((first, axis) => {
      const step = strides[axis]!;
      const forward = step > 0 ? 1 : -1;
      const begin = masked('beginMask', axis) ? (step > 0 ? 0 : END) : first;
      if (masked('shrinkAxisMask', axis)) return { axis, begin, end: end(begin, 1), step: 1 };
      return { axis, begin, end: masked('endMask', axis) ? forward * END : ends[axis]!, step };
    });
    const cut = slice(call, bounds);
    const shrunk = bounds.map(({ axis }) => axis).filter((axis) => masked('shrinkAxisMask', axis));
    return shrunk.length === 0 ? cut : call.graph.node('Squeeze', [cut, call.graph.int64s(shrunk)]);
  },
  Tile: (call) => call.graph.node('Tile', [call.input('x'), call.graph.sizes.vector(call.dims('reps'))]),
  Transpose: (call) => call.graph.transpose(call.input('x'), call.numbers('perm')),
  Unpack: (call) => {
    const { graph } = call;
    const [axis] = call.axes('axis', call.rank('value'));
    return call.kernel.outputs.map((_, i) =>
      graph.node('Gather', [call.input('value'), graph.constant('int64', [], [i])], { axis: { int: axis! } }),
    );
  },
};

interface Bound {
  readonly axis: number;
  readonly begin: Dim;
  readonly end: Dim;
  readonly step?: number;
}

/** Where `size` elements from `begin` end; -1 stands for all that follow. */
function end(begin: Dim, size: Dim): Dim {
  if (size === -1 || (begin === -1 && size === 1)) return END;
  if (begin === 0) return size;
  return isFixed(begin) && isFixed(size) ? begin + size : { op: 'add', left: begin, right: size };
}

function isWhole({ begin, end: last }: Bound, size: Dim): boolean {
  return begin === 0 && (last === END || sameDim(last, size));
}

function slice(call: KernelCall, bounds: readonly Bound[]): string {
  if (bounds.length === 0) return call.input('x');
  const { graph } = call;
  const vector = (pick: (bound: Bound) => Dim) => graph.sizes.vector(bounds.map(pick));
  const [starts, ends] = [vector(({ begin }) => begin), vector(({ end: last }) => last)];
  const [axes, steps] = [vector(({ axis }) => axis), vector(({ step = 1 }) => step)];
  return graph.node('Slice', [call.input('x'), starts, ends, axes, steps]);
}
