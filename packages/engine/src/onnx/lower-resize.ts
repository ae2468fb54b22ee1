import { type Dim, sameDim } from '../graph/dims.ts';
import type { KernelCall, Lowerings } from './kernel-call.ts';

/** Kernels that resize maps `[B, H, W, C]`. */
export const RESIZING: Lowerings = {
  ResizeBilinear: (call) => {
    const { graph } = call;
    const [batch, , , channels] = call.shape('images');
    const sizes = graph.sizes.vector([batch!, ...call.dims('size'), channels!]);
    const aligned = call.flag('halfPixelCenters') ? 'half_pixel' : 'asymmetric';
    const mode = call.flag('alignCorners') ? 'align_corners' : aligned;
    return graph.node('Resize', [call.input('images'), '', '', sizes], {
      mode: { text: 'linear' },
      coordinate_transformation_mode: { text: mode },
    });
  },
  ResizeNearestNeighbor: (call) => {
    if (call.flag('alignCorners')) throw call.unsupported('with aligned corners');
    const [, height, width] = call.shape('images');
    const [newHeight, newWidth] = call.dims('size');
    const rows = pick(call, call.input('images'), 1, height!, newHeight!);
    return pick(call, rows, 2, width!, newWidth!);
  },
};

/**
 * Copies along one axis. `Resize` computes positions in floating point and may miss by one where a position is a whole
 * number; whole numbers do not.
 */
function pick(call: KernelCall, x: string, axis: number, from: Dim, to: Dim): string {
  if (sameDim(from, to)) return x;
  const { graph } = call;
  const places = graph.shared('Range', [scalar(call, 0), scalar(call, to), scalar(call, 1)]);
  const indices = call.flag('halfPixelCenters')
    ? // ⌊(i + ½)·from/to⌋
      divide(
        call,
        graph.shared('Add', [graph.shared('Mul', [places, scalar(call, 2)]), scalar(call, 1)]),
        from,
        twice(to),
      )
    : divide(call, places, from, to);
  return graph.node('Gather', [x, indices], { axis: { int: axis } });
}

/** ⌊places·from/to⌋ */
function divide(call: KernelCall, places: string, from: Dim, to: Dim): string {
  const { graph } = call;
  return graph.shared('Div', [graph.shared('Mul', [places, scalar(call, from)]), scalar(call, to)]);
}

function scalar(call: KernelCall, dim: Dim): string {
  return typeof dim === 'number' ? call.graph.constant('int64', [], [dim]) : call.graph.sizes.scalar(dim);
}

function twice(dim: Dim): Dim {
  return typeof dim === 'number' ? 2 * dim : { op: 'mul', left: dim, right: 2 };
}
