import { type Dim, isFixed } from '../graph/dims.ts';
import type { OnnxAttribute } from './model-proto.ts';

/** What {@link SizeNodes} writes into: nodes that are the same give the same value. */
export interface SharedNodes {
  shared(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, OnnxAttribute>>): string;
  int64s(values: readonly number[]): string;
  /** Name of the program's input number `input`. */
  inputName(input: number): string;
}

const OPERATORS = { add: 'Add', sub: 'Sub', mul: 'Mul', floorDiv: 'Div' } as const;

/** Computes sizes in the graph, each once. */
export class SizeNodes {
  private readonly graph: SharedNodes;

  constructor(graph: SharedNodes) {
    this.graph = graph;
  }

  /** int64 `[dims.length]`. */
  vector(dims: readonly Dim[]): string {
    if (dims.every(isFixed)) return this.graph.int64s(dims);
    const parts = dims.map((dim) => this.one(dim));
    return parts.length === 1 ? parts[0]! : this.graph.shared('Concat', parts, { axis: { int: 0 } });
  }

  /** int64 without axes. */
  scalar(dim: Dim): string {
    return this.graph.shared('Squeeze', [this.one(dim), this.graph.int64s([0])]);
  }

  /** int64 `[1]`. */
  private one(dim: Dim): string {
    if (isFixed(dim)) return this.graph.int64s([dim]);
    if (dim.op === 'input') {
      const axis = { start: { int: dim.axis }, end: { int: dim.axis + 1 } };
      return this.graph.shared('Shape', [this.graph.inputName(dim.input)], axis);
    }
    return this.graph.shared(OPERATORS[dim.op], [this.one(dim.left), this.one(dim.right)]);
  }
}

const SIGNS = { add: ' + ', sub: ' - ', mul: '*', floorDiv: '//' } as const;

/** A size for people and for the names of axes: `(height + 3)//4`. */
export function dimText(dim: Dim, axisName: (input: number, axis: number) => string): number | string {
  const text = (one: Dim): string => {
    if (isFixed(one)) return String(one);
    if (one.op === 'input') return axisName(one.input, one.axis);
    return `(${text(one.left)}${SIGNS[one.op]}${text(one.right)})`;
  };
  return isFixed(dim) ? dim : text(dim).replace(/^\((.*)\)$/, '$1');
}
