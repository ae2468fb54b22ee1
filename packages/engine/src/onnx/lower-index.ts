import type { Lowerings } from './kernel-call.ts';
import { onnxDtype } from './tensors.ts';

/** Kernels that give, take or compare positions. */
export const INDEXING: Lowerings = {
  GatherV2: (call) => {
    if (call.attribute('batchDims')) throw call.unsupported('with batch axes');
    const [axis] = call.axes('axis', call.rank('x'));
    return call.graph.node('Gather', [call.input('x'), call.input('indices')], { axis: { int: axis! } });
  },
  OneHot: (call) => {
    // By comparison: a position outside gives a row without a hit, and `OneHot` counts negative ones from the end.
    const { graph } = call;
    const depth = call.number('depth');
    const positions = graph.constant(
      'int32',
      [depth],
      Array.from({ length: depth }, (_, i) => i),
    );
    const indices = graph.node('Unsqueeze', [call.input('indices'), graph.int64s([call.rank('indices')])]);
    const hits = graph.node('Equal', [indices, positions]);
    const value = (key: string) => graph.constant('float32', [], [call.number(key)]);
    const row = graph.node('Where', [hits, value('onValue'), value('offValue')]);
    const dtype = onnxDtype(call.output().dtype);
    return dtype === 'float32' ? row : graph.cast(row, dtype);
  },
  TopK: (call) => {
    const { graph } = call;
    const inputs = [call.input('x'), graph.sizes.vector(call.dims('k'))];
    const [values, indices] = graph.nodeOf('TopK', inputs, { axis: { int: -1 } }, 2);
    return [values!, graph.cast(indices!, 'int32')];
  },
};
