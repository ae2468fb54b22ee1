import type { GraphNode, GraphNodeDtype, GraphTensor } from './graph-def.ts';
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
 * form that it is rewritten to, and in the kernel; a variable is held once. One that is cast is held in the type that it
 * is cast to. Names stay what they are.
 */
export function withoutConstants(nodes: readonly GraphNode[]): GraphWithoutConstants {
  const held = heldConstants(nodes);
  const feeds: GraphFeed[] = [];
  const targets: string[] = [];
  const rewritten = nodes.flatMap((node): GraphNode[] => {
    const constant = held.get(node.name);
    if (constant === undefined) return [node];
    if (constant === 'in other types') return [];
    const { tensor, type } = constant;
    const [variable, value, cast, assign] = ['variable', 'value', 'cast', 'assign'].map(
      (part) => `${node.name}/${part}`,
    );
    const dtype = { type };
    const shape = { shape: tensor.shape };
    feeds.push({ name: value!, ...tensor });
    targets.push(assign!);
    return [
      {
        name: variable!,
        op: 'VarHandleOp',
        attributes: { dtype, shape, shared_name: { string: variable! } },
      },
      { name: value!, op: 'Placeholder', attributes: { dtype: { type: tensor.dtype }, shape } },
      {
        name: cast!,
        op: 'Cast',
        inputs: [value!],
        attributes: { SrcT: { type: tensor.dtype }, DstT: dtype },
      },
      { name: assign!, op: 'AssignVariableOp', inputs: [variable!, cast!], attributes: { dtype } },
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

type Held = { readonly tensor: GraphTensor; readonly type: GraphNodeDtype } | 'in other types';

/** By the name of its node: each large constant, and each that it is cast to. */
function heldConstants(nodes: readonly GraphNode[]): Map<string, Held> {
  const held = new Map<string, Held>();
  for (const node of nodes) {
    const tensor = constantOf(node);
    if (tensor && tensor.data.length > MOST_ELEMENTS) held.set(node.name, { tensor, type: tensor.dtype });
  }
  const constants = new Map(held);
  const isRead = new Set<string>();
  const isCast = new Set<string>();
  for (const { name, op, inputs = [], attributes } of nodes) {
    const source = op === 'Cast' ? constants.get(inputs[0]!) : undefined;
    const to = attributes?.DstT;
    if (source && source !== 'in other types' && to && 'type' in to) {
      held.set(name, { tensor: source.tensor, type: to.type });
      isCast.add(inputs[0]!);
    } else {
      for (const input of inputs) isRead.add(input);
    }
  }
  for (const name of isCast) if (!isRead.has(name)) held.set(name, 'in other types');
  return held;
}

function constantOf({ op, attributes }: GraphNode): GraphTensor | undefined {
  const value = op === 'Const' ? attributes?.value : undefined;
  return value !== undefined && 'tensor' in value ? value.tensor : undefined;
}
