import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from './engine.ts';
import { withoutConstants } from './graph-constants.ts';
import { encodeGraphDef, type GraphNode, type GraphTensor } from './graph-def.ts';
import { type GraphFeed, openGraphSession } from './graph-session.ts';
import { findNative } from './installed.ts';

/** Graphs run on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;

const FLOAT = { type: 'float32' } as const;

function constant(name: string, tensor: GraphTensor): GraphNode {
  return { name, op: 'Const', attributes: { dtype: { type: tensor.dtype }, value: { tensor } } };
}

/** `y = x + large + small`. */
function sum(large: number): GraphNode[] {
  const data = new Float32Array(2000).fill(large);
  return [
    { name: 'x', op: 'Placeholder', attributes: { dtype: FLOAT, shape: { shape: [2000] } } },
    constant('large', { dtype: 'float32', shape: [2000], data }),
    constant('small', { dtype: 'float32', shape: [1], data: Float32Array.of(0.5) }),
    { name: 'z', op: 'AddV2', inputs: ['x', 'large'], attributes: { T: FLOAT } },
    { name: 'y', op: 'AddV2', inputs: ['z', 'small'], attributes: { T: FLOAT } },
  ];
}

const x: GraphFeed = { name: 'x', dtype: 'float32', shape: [2000], data: new Float32Array(2000).fill(1) };

describe('withoutConstants', () => {
  it('makes variables of large constants and leaves small ones', () => {
    const { nodes } = withoutConstants(sum(2));
    const ops = Object.fromEntries(nodes.map(({ name, op }) => [name, op]));
    expect(ops).toMatchObject({ large: 'ReadVariableOp', small: 'Const', x: 'Placeholder', y: 'AddV2' });
    expect(encodeGraphDef(nodes).length).toBeLessThan(1000);
  });

  it('holds a constant in the type that it is cast to, and twice when it is read as it is too', () => {
    const cast: GraphNode = {
      name: 'cast',
      op: 'Cast',
      inputs: ['large'],
      attributes: { SrcT: FLOAT, DstT: { type: 'bfloat16' } },
    };
    const types = (nodes: readonly GraphNode[]) =>
      Object.fromEntries(
        withoutConstants(nodes)
          .nodes.filter(({ op }) => op === 'ReadVariableOp')
          .map(({ name, attributes }) => [name, attributes!.dtype]),
      );
    expect(types([...sum(2), cast])).toEqual({ large: FLOAT, cast: { type: 'bfloat16' } });
    const [, large] = sum(2);
    expect(types([large!, cast])).toEqual({ cast: { type: 'bfloat16' } });
    expect(withoutConstants([large!, cast]).nodes.map(({ name }) => name)).not.toContain('large');
  });

  describe.skipIf(missing)('in sessions', () => {
    beforeAll(async () => {
      await openEngine({ engine: 'native', device: 'cpu' });
    });

    it('gives each its own values', async () => {
      const opened = [2, 3].map((large) => {
        const graph = withoutConstants(sum(large));
        return { graph, session: openGraphSession(encodeGraphDef(graph.nodes)) };
      });
      await Promise.all(opened.map(({ graph, session }) => graph.initialise(session)));
      for (const [i, { session }] of opened.entries()) {
        const [y] = await session.run([x], ['y']);
        expect([y!.data[0], y!.data[1999]]).toEqual([i + 3.5, i + 3.5]);
        await session.close();
      }
    });

    it('cuts a constant into parts once, and holds the parts that are read', async () => {
      const [x] = sum(0);
      const data = Float32Array.from({ length: 2000 }, (_, i) => i);
      const { nodes, initialise } = withoutConstants([
        x!,
        constant('large', { dtype: 'float32', shape: [2, 1000], data }),
        { name: 'parts', op: 'Unpack', inputs: ['large'], attributes: { T: FLOAT, num: { int: 2 } } },
        { name: 'y', op: 'Identity', inputs: ['parts:1'], attributes: { T: FLOAT } },
      ]);
      expect(nodes.filter(({ op }) => op === 'ReadVariableOp').map(({ name }) => name)).toEqual(['parts/1']);
      const session = openGraphSession(encodeGraphDef(nodes));
      await initialise(session);
      const [y] = await session.run([], ['y']);
      expect([y!.data.length, y!.data[0], y!.data[999]]).toEqual([1000, 1000, 1999]);
      await session.close();
    });

    it('needs nothing where there is no large constant', async () => {
      const graph = withoutConstants(sum(0).filter(({ name }) => name === 'small'));
      const session = openGraphSession(encodeGraphDef(graph.nodes));
      await graph.initialise(session);
      expect((await session.run([], ['small']))[0]!.data[0]).toBe(0.5);
      await session.close();
    });
  });
});
