import type { ValueId } from '../graph/trace.ts';
import type { OnnxGraph } from './graph.ts';
import type { OnnxModel, OnnxNode, OnnxValue } from './model-proto.ts';

type Named = Pick<OnnxModel, 'nodes' | 'initializers' | 'outputs' | 'values'>;

/**
 * The parts of a finished graph under the names of the file: outputs are called as asked for, constants by their labels,
 * and those that no node uses are left out.
 */
export function settleNames(
  graph: OnnxGraph,
  names: ReadonlyMap<ValueId, string>,
  outputs: readonly ValueId[],
  outputNames: readonly string[],
  describe: (id: ValueId, name: string) => OnnxValue,
): Named {
  const final = new Map<string, string>();
  const made = new Set(graph.nodes.flatMap((node) => node.outputs));
  const identities: OnnxNode[] = [];
  for (const [index, id] of outputs.entries()) {
    const [name, wanted] = [names.get(id)!, outputNames[index]!];
    // An input, a constant, or what is an output already has a name that stays.
    if (made.has(name) && !final.has(name)) final.set(name, wanted);
    else identities.push({ name: wanted, op: 'Identity', inputs: [name], outputs: [wanted], attributes: {} });
  }
  const all = [...graph.nodes, ...identities];
  const taken = new Set([...made, ...outputNames, ...all.flatMap(({ inputs }) => inputs)]);
  const initializers = used(all).flatMap((name) => {
    const constant = graph.constantOf(name);
    if (!constant) return [];
    final.set(name, freeName(constant.label, taken));
    return [{ ...constant.tensor, name: final.get(name)! }];
  });
  const settle = (name: string) => final.get(name) ?? name;
  const nodes = all.map((node) => ({
    ...node,
    inputs: node.inputs.map(settle),
    outputs: node.outputs.map(settle),
  }));
  const between = [...new Map([...names].map(([id, name]) => [name, id]))]
    .filter(([name]) => made.has(name) && !final.has(name))
    .map(([name, id]) => describe(id, name));
  const given = outputs.map((id, index) => describe(id, outputNames[index]!));
  return { nodes, initializers, outputs: given, values: between };
}

/** Everything that nodes take, once. */
function used(nodes: readonly OnnxNode[]): string[] {
  return [...new Set(nodes.flatMap(({ inputs }) => inputs))];
}

function freeName(label: string, taken: Set<string>): string {
  let name = label;
  for (let i = 1; taken.has(name); i++) name = `${label}_${i}`;
  taken.add(name);
  return name;
}
