import type { GraphNode, GraphTensor } from './graph-def.ts';
import type { GraphFeed, GraphSession } from './graph-session.ts';

/** A graph whose large constants are variables, and what gives them their values. */
export interface GraphWithoutConstants {
  readonly nodes: readonly GraphNode[];
  /** Sets the variables of a session of these nodes; to be awaited before anything else is run. */
  initialise(session: GraphSession): Promise<void>;
}

/** Smaller constants stay: what TensorFlow makes of them before the first run is worth more than their memory. */
const MOST_ELEMENTS = 1024;

/**
 * Takes the large constants out of a graph. TensorFlow would hold each of them some ten times over, in the graph, in every
 * form that it is rewritten to, and in the kernel; a variable is held once. Names stay what they are.
 */
export function withoutConstants(nodes: readonly GraphNode[]): GraphWithoutConstants {
  const feeds: GraphFeed[] = [];
  const targets: string[] = [];
  const rewritten = nodes.flatMap((node): GraphNode[] => {
    const tensor = constantOf(node);
    if (!tensor || tensor.data.length <= MOST_ELEMENTS) return [node];
    const [variable, value, assign] = ['variable', 'value', 'assign'].map((part) => `${node.name}/${part}`);
    const dtype = { type: tensor.dtype };
    const shape = { shape: tensor.shape };
    feeds.push({ name: value!, ...tensor });
    targets.push(assign!);
    return [
      {
        name: variable!,
        op: 'VarHandleOp',
        attributes: { dtype, shape, shared_name: { string: variable! } },
      },
      { name: value!, op: 'Placeholder', attributes: { dtype, shape } },
      { name: assign!, op: 'AssignVariableOp', inputs: [variable!, value!], attributes: { dtype } },
      { name: node.name, op: 'ReadVariableOp', inputs: [variable!], attributes: { dtype } },
    ];
  });
  const initialise = async (session: GraphSession): Promise<void> => {
    if (feeds.length > 0) await session.run(feeds, [], targets);
    // What was fed is in the session now.
    feeds.length = 0;
  };
  return { nodes: rewritten, initialise };
}

function constantOf({ op, attributes }: GraphNode): GraphTensor | undefined {
  const value = op === 'Const' ? attributes?.value : undefined;
  return value !== undefined && 'tensor' in value ? value.tensor : undefined;
}
