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
/** Elements of the constants that are fed in one run, about. */
const FED_AT_ONCE = 2 ** 22;

/** What constants are made into once, before the first run. */
const CONVERSIONS = ['AsMlpPack', 'Cast'];

/**
 * Takes the large constants out of a graph. TensorFlow would hold each of them some ten times over, in the graph, in every
 * form that it is rewritten to, and in the kernel; a variable is held once. One that is cast or packed is held as what comes
 * of that. Names stay what they are.
 */
export function withoutConstants(nodes: readonly GraphNode[]): GraphWithoutConstants {
  const held = heldConstants(nodes);
  const feeds: GraphFeed[] = [];
  const targets: string[] = [];
  const rewritten = nodes.flatMap((node): GraphNode[] => {
    const constant = held.get(node.name);
    if (constant === undefined) return [node];
    if (constant === 'as others') return [];
    const { tensor, conversion } = constant;
    const [variable, value, converted, assign] = ['variable', 'value', 'converted', 'assign'].map(
      (part) => `${node.name}/${part}`,
    );
    const dtype = conversion?.attributes?.DstT ?? { type: tensor.dtype };
    const shape = { shape: tensor.shape };
    feeds.push({ name: value!, ...tensor });
    targets.push(assign!);
    return [
      {
        name: variable!,
        op: 'VarHandleOp',
        attributes: {
          dtype,
          shape: conversion?.op === 'AsMlpPack' ? { shape: undefined } : shape,
          shared_name: { string: variable! },
        },
      },
      { name: value!, op: 'Placeholder', attributes: { dtype: { type: tensor.dtype }, shape } },
      ...(conversion ? [{ ...conversion, name: converted!, inputs: [value!] }] : []),
      {
        name: assign!,
        op: 'AssignVariableOp',
        inputs: [variable!, conversion ? converted! : value!],
        attributes: { dtype },
      },
      { name: node.name, op: 'ReadVariableOp', inputs: [variable!], attributes: { dtype } },
    ];
  });
  const initialise = async (session: GraphSession): Promise<void> => {
    // In parts: the feeds of all would be a second copy.
    let elements = 0;
    let first = 0;
    for (const [i, { data }] of feeds.entries()) {
      elements += data.length;
      if (elements < FED_AT_ONCE && i < feeds.length - 1) continue;
      await session.run(feeds.slice(first, i + 1), [], targets.slice(first, i + 1));
      [elements, first] = [0, i + 1];
    }
    // What was fed is in the session now.
    feeds.length = 0;
  };
  return { nodes: rewritten, initialise };
}

type Held = { readonly tensor: GraphTensor; readonly conversion?: GraphNode } | 'as others';

/** By the name of its node: each large constant, and what each is converted to. */
function heldConstants(nodes: readonly GraphNode[]): Map<string, Held> {
  const constants = new Map<string, Held>();
  for (const node of nodes) {
    const tensor = constantOf(node);
    if (tensor && tensor.data.length > MOST_ELEMENTS) constants.set(node.name, { tensor });
  }
  const held = new Map(constants);
  const isRead = new Set<string>();
  const isConverted = new Set<string>();
  for (const node of nodes) {
    const { name, op, inputs = [] } = node;
    const source = CONVERSIONS.includes(op) ? constants.get(inputs[0]!) : undefined;
    if (source && source !== 'as others') {
      held.set(name, { tensor: source.tensor, conversion: node });
      isConverted.add(inputs[0]!);
    } else {
      for (const input of inputs) isRead.add(input);
    }
  }
  for (const name of isConverted) if (!isRead.has(name)) held.set(name, 'as others');
  return held;
}

function constantOf({ op, attributes }: GraphNode): GraphTensor | undefined {
  const value = op === 'Const' ? attributes?.value : undefined;
  return value !== undefined && 'tensor' in value ? value.tensor : undefined;
}
