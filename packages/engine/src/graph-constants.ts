import { elementsOf, type GraphAttribute, type GraphNode, type GraphTensor } from './graph-def.ts';
import type { GraphFeed, GraphSession } from './graph-session.ts';
import { graphRuntime } from './native.ts';

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

/** What is done to constants alone is done once, before the first run. */
const DONE_ONCE = new Set([
  'AsMlpPack',
  'Cast',
  'ConcatV2',
  'Reshape',
  'ReverseV2',
  'Slice',
  'StridedSlice',
  'Transpose',
  'Unpack',
]);

/**
 * Takes the large constants out of a graph. TensorFlow would hold each of them some ten times over, in the graph, in every
 * form that it is rewritten to, and in the kernel; a variable is held once. One that is cast, packed or cut into parts is held as
 * what comes of that. Names stay what they are.
 */
export function withoutConstants(nodes: readonly GraphNode[]): GraphWithoutConstants {
  const made = madeOfConstants(nodes);
  const read = readFrom(made, nodes);
  const rewritten = nodes.map((node): GraphNode => {
    const one = made.get(node.name);
    const name = one ? `${node.name}/value` : node.name;
    if (one?.tensor) {
      const attributes = { dtype: one.dtype, shape: { shape: one.tensor.shape } };
      return { name, op: 'Placeholder', attributes };
    }
    const rename = one ? valueName : readName;
    const inputs = node.inputs?.map((ref) => (made.has(nodeOf(ref)) ? rename(ref) : ref));
    return { ...node, name, ...(inputs ? { inputs } : {}) };
  });
  const variables = read.flatMap((ref): GraphNode[] => {
    const { dtype, shape } = made.get(nodeOf(ref))!;
    const name = readName(ref);
    const [variable, assign] = [`${name}/variable`, `${name}/assign`];
    const attributes = { dtype, shape: { shape }, shared_name: { string: variable } };
    return [
      { name: variable, op: 'VarHandleOp', attributes },
      { name: assign, op: 'AssignVariableOp', inputs: [variable, valueName(ref)], attributes: { dtype } },
      { name, op: 'ReadVariableOp', inputs: [variable], attributes: { dtype } },
    ];
  });
  const parts = inParts(read, made);
  const initialise = async (session: GraphSession): Promise<void> => {
    for (const { constants, refs } of parts) {
      const feeds = constants.map(
        (name): GraphFeed => ({ name: `${name}/value`, ...made.get(name)!.tensor! }),
      );
      await session.run(
        feeds,
        [],
        refs.map((ref) => `${readName(ref)}/assign`),
      );
      // What was fed is in the session now; the copies that it was fed by lie between its values.
      graphRuntime().trim();
    }
    made.clear();
    parts.length = 0;
  };
  return { nodes: [...rewritten, ...variables], initialise };
}

/** `node` of `node`, `node:1` and `^node`. */
const nodeOf = (ref: string) => ref.replace(/^\^|:\d+$/g, '');
/** The node that reads the variable of an output: of the same name for the first one. */
const readName = (ref: string) => ref.replace(/:0$/, '').replace(':', '/');
/** The output before the first run. */
const valueName = (ref: string) => ref.replace(/^[^:]+/, '$&/value');

/** A large constant, or what comes of large constants alone. */
interface Made {
  /** Of the constant. */
  readonly tensor?: GraphTensor;
  readonly dtype: GraphAttribute;
  /** Undefined where it is not known. */
  readonly shape: readonly number[] | undefined;
  /** The constants that it is made of. */
  readonly from: ReadonlySet<string>;
}

function madeOfConstants(nodes: readonly GraphNode[]): Map<string, Made> {
  const made = new Map<string, Made>();
  const small = new Set<string>();
  for (const node of nodes) {
    const { name, op, inputs = [], attributes } = node;
    const tensor = constantOf(node);
    if (tensor) {
      const dtype = { type: tensor.dtype };
      if (elementsOf(tensor) <= MOST_ELEMENTS) small.add(name);
      else made.set(name, { tensor, dtype, shape: tensor.shape, from: new Set([name]) });
      continue;
    }
    const sources = inputs.flatMap((ref) => made.get(nodeOf(ref)) ?? []);
    const isFixed = inputs.every((ref) => (made.has(nodeOf(ref)) && !ref.startsWith('^')) || small.has(ref));
    if (!DONE_ONCE.has(op) || sources.length === 0 || !isFixed) continue;
    made.set(name, {
      dtype: attributes?.DstT ?? attributes?.T ?? sources[0]!.dtype,
      shape: op === 'Cast' ? sources[0]!.shape : undefined,
      from: new Set(sources.flatMap(({ from }) => [...from])),
    });
  }
  return made;
}

/** The outputs that the rest of the graph reads, and those that nothing reads. */
function readFrom(made: ReadonlyMap<string, Made>, nodes: readonly GraphNode[]): string[] {
  const refs = new Set<string>();
  const unread = new Set(made.keys());
  for (const { name, inputs = [] } of nodes) {
    for (const ref of inputs.filter((one) => made.has(nodeOf(one)))) {
      unread.delete(nodeOf(ref));
      if (!made.has(name)) refs.add(ref.replace(/^\^|:0$/g, ''));
    }
  }
  return [...refs, ...unread];
}

/** Outputs that are computed in one run, and the constants that it needs: to feed all at once would be a second copy. */
function inParts(read: readonly string[], made: ReadonlyMap<string, Made>) {
  const order = new Map([...made.keys()].map((name, i) => [name, i]));
  const first = (ref: string) => order.get([...made.get(nodeOf(ref))!.from][0]!)!;
  const parts: { readonly constants: string[]; readonly refs: string[] }[] = [];
  let constants = new Set<string>();
  let refs: string[] = [];
  const close = () => {
    if (refs.length > 0) parts.push({ constants: [...constants], refs });
    [constants, refs] = [new Set(), []];
  };
  for (const ref of [...read].sort((a, b) => first(a) - first(b))) {
    const { from } = made.get(nodeOf(ref))!;
    const isNew = [...from].some((name) => !constants.has(name));
    const elements = [...constants].reduce((sum, name) => sum + elementsOf(made.get(name)!.tensor!), 0);
    if (isNew && elements >= FED_AT_ONCE) close();
    for (const name of from) constants.add(name);
    refs.push(ref);
  }
  close();
  return parts;
}

function constantOf({ op, attributes }: GraphNode): GraphTensor | undefined {
  const value = op === 'Const' ? attributes?.value : undefined;
  return value !== undefined && 'tensor' in value ? value.tensor : undefined;
}
