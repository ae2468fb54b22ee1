import { type Dim, isFixed, sameDim } from '../graph/dims.ts';
import {
  DATA_TYPES,
  type OnnxAttribute,
  type OnnxDtype,
  type OnnxNode,
  type OnnxTensor,
} from './model-proto.ts';
import { SizeNodes } from './sizes.ts';
import { reshaped, tensorFrom, transposed } from './tensors.ts';

type Attributes = Readonly<Record<string, OnnxAttribute>>;

interface Constant {
  readonly tensor: OnnxTensor;
  /** What it is called in the file, unless another has that name. */
  readonly label: string;
}

/** Builds the nodes and constants of a model. Values go by names that are unique in it. */
export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly sizes = new SizeNodes(this);
  private readonly constants = new Map<string, Constant>();
  private readonly known = new Map<string, string>();
  private readonly inputNames: readonly string[];

  constructor(inputNames: readonly string[]) {
    this.inputNames = inputNames;
  }

  /** Appends an operator with one output; returns the name of that. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodeOf(op, inputs, attributes, 1)[0]!;
  }

  /** Appends an operator with several outputs; returns their names. */
  nodeOf(op: string, inputs: readonly string[], attributes: Attributes, count: number): string[] {
    const name = `${op}_${this.nodes.length}`;
    const outputs = Array.from({ length: count }, (_, i) => (i === 0 ? `${name}:0` : `${name}:${i}`));
    this.nodes.push({ name, op, inputs, outputs, attributes });
    return outputs;
  }

  /** Like {@link node}, once for the same arguments. */
  shared(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.once(JSON.stringify([op, inputs, attributes]), () => this.node(op, inputs, attributes));
  }

  inputName(input: number): string {
    return this.inputNames[input]!;
  }

  /** A constant under a name that says what it is. */
  tensor(label: string, tensor: OnnxTensor): string {
    const name = `constant ${this.constants.size}`;
    this.constants.set(name, { tensor, label });
    return name;
  }

  /** A small constant by its elements. */
  constant(dtype: OnnxDtype, shape: readonly number[], elements: readonly number[]): string {
    // -0 and 0 are different constants, and JSON does not tell them apart.
    const texts = elements.map((value) => (Object.is(value, -0) ? '-0' : String(value)));
    const key = JSON.stringify([dtype, shape, texts]);
    const label = elements.length === 1 ? `${dtype}_${texts[0]}` : `${dtype}_constant`;
    return this.once(key, () => this.tensor(label, tensorFrom(dtype, shape, elements)));
  }

  int64s(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  float(value: number): string {
    return this.constant('float32', [], [value]);
  }

  /** What a constant is called and holds. */
  constantOf(name: string): Constant | undefined {
    return this.constants.get(name);
  }

  /** A size as a number without axes. */
  number(dim: Dim, dtype: OnnxDtype): string {
    if (isFixed(dim)) return this.constant(dtype, [], [dim]);
    return this.shared('Cast', [this.sizes.scalar(dim)], { to: { int: DATA_TYPES[dtype] } });
  }

  /** The same number in every place. */
  fill(dtype: OnnxDtype, shape: readonly Dim[], value: number): string {
    return this.shared('Expand', [this.constant(dtype, [], [value]), this.sizes.vector(shape)]);
  }

  cast(x: string, dtype: OnnxDtype): string {
    return this.node('Cast', [x], { to: { int: DATA_TYPES[dtype] } });
  }

  transpose(x: string, perm: readonly number[]): string {
    const constant = this.constants.get(x);
    if (!constant) return this.node('Transpose', [x], { perm: { ints: perm } });
    const key = JSON.stringify(['transpose', x, perm]);
    return this.once(key, () => this.tensor(constant.label, transposed(constant.tensor, perm)));
  }

  /** `x`, of shape `from`, in the shape `to`. The fewer sizes are computed for it, the more a runtime knows of the result. */
  reshape(x: string, from: readonly Dim[], to: readonly Dim[]): string {
    const constant = this.constants.get(x);
    if (constant && to.every(isFixed)) {
      const key = JSON.stringify(['reshape', x, to]);
      return this.once(key, () => this.tensor(constant.label, reshaped(constant.tensor, to)));
    }
    return this.node('Reshape', [x, this.sizes.vector(shortShape(from, to))]);
  }

  private once(key: string, make: () => string): string {
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.known.set(key, made);
    return made;
  }
}

/** 0 stands for the size at the same place before, and -1 for one size that follows from the others. */
function shortShape(from: readonly Dim[], to: readonly Dim[]): Dim[] {
  const short = to.map((dim, axis) => (axis < from.length && sameDim(dim, from[axis]!) ? 0 : dim));
  const kept = short.map((dim, axis) => (isFixed(to[axis]!) ? to[axis]! : dim));
  const cost = (dim: Dim) => (isFixed(dim) ? 0 : JSON.stringify(dim).length);
  const most = Math.max(...kept.map(cost), 0);
  const free = most > 0 && !to.includes(-1) ? kept.findIndex((dim) => cost(dim) === most) : -1;
  return kept.map((dim, axis) => (axis === free ? -1 : dim));
}
