import { AsMlpError } from '@as-mlp/base';
import {
  elementsOf,
  type GraphAttribute,
  type GraphNode,
  type GraphNodeDtype,
  type GraphTensor,
} from '../graph-def.ts';
import { type Dim, isFixed } from './dims.ts';
import type { Attribute, Program, ProgramConstant, ProgramKernel, ValueDtype } from './program.ts';
import type { ValueId } from './trace.ts';

const DTYPES: Readonly<Partial<Record<ValueDtype, 'float32' | 'int32' | 'bool' | 'bfloat16'>>> = {
  float32: 'float32',
  int32: 'int32',
  bool: 'bool',
  bfloat16: 'bfloat16',
};

/** The nodes of one program as they are written. What lowers a single kernel talks to this. */
export class GraphLowering {
  readonly program: Program;
  readonly nodes: GraphNode[] = [];
  /** Whether variables may have other values in another run; else they are frozen. */
  readonly variablesChange: boolean = false;
  /** The last layer of the graph runtime that was written, or what followed it. */
  lastLayer: string | undefined;
  private readonly values = new Map<ValueId, string>();
  private readonly shared = new Map<string, string>();

  constructor(program: Program) {
    this.program = program;
  }

  /** Adds the placeholders and the constants of the program. */
  begin(inputNames: readonly string[]): void {
    const { inputs, draws, constants } = this.program;
    for (const [i, id] of [...inputs, ...draws].entries()) this.placeholder(inputNames[i]!, id);
    for (const constant of constants) this.values.set(constant.id, this.lowerConstant(constant));
  }

  /** Adds a node of this name for each output of the program. */
  end(outputNames: readonly string[]): void {
    for (const [i, id] of this.program.outputs.entries()) {
      const attributes = { T: { type: this.dtype(id) } };
      this.nodes.push({ name: outputNames[i]!, op: 'Identity', inputs: [this.value(id)], attributes });
    }
  }

  /** The output of a node that holds this value. */
  value(id: ValueId): string {
    return this.values.get(id)!;
  }

  /** The value of an input of a kernel. */
  input(kernel: ProgramKernel, key: string): string {
    return this.value(kernel.inputs[key] as ValueId);
  }

  dtype(id: ValueId): GraphNodeDtype {
    const { dtype } = this.program.values[id]!;
    const known = DTYPES[dtype];
    if (known) return known;
    throw new AsMlpError('usage', {
      what: `a compiled function uses a tensor of ${dtype}`,
      fix: 'Use float32',
    });
  }

  /**
   * Lets the nodes from number `start` on that read one of `values` wait for the last layer, as a layer itself does, and the next
   * one for them. Where no layer was written, which is without the graph runtime, TensorFlow chooses.
   */
  follow(start: number, values: ReadonlySet<string>): void {
    for (let i = start; i < this.nodes.length; i++) {
      const node = this.nodes[i]!;
      const { inputs = [] } = node;
      const isFree = inputs.some((name) => values.has(name)) && !inputs.at(-1)!.startsWith('^');
      if (!isFree || this.lastLayer === undefined) continue;
      this.nodes[i] = { ...node, inputs: [...inputs, `^${this.lastLayer}`] };
      this.lastLayer = node.name;
    }
  }

  /** Adds a node and returns its name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, GraphAttribute>> = {},
  ): string {
    const name = `${op}_${this.nodes.length}`;
    this.nodes.push({ name, op, inputs, attributes });
    return name;
  }

  /** Says which node computes the outputs of a kernel; a name for each when there are several. */
  define(kernel: ProgramKernel, ...names: readonly string[]): void {
    for (const [i, id] of kernel.outputs.entries()) this.values.set(id, names[i]!);
  }

  /** A node with one input, the same for the same input. */
  sharedNode(op: string, input: string): string {
    return this.once(`${op} ${input}`, () => this.node(op, [input]));
  }

  /** A constant; equal ones of a few elements are one node. */
  constant(tensor: GraphTensor): string {
    const add = () => this.node('Const', [], { dtype: { type: tensor.dtype }, value: { tensor } });
    if (elementsOf(tensor) > 16) return add();
    return this.once(`${tensor.dtype} [${tensor.shape}] ${tensor.data}`, add);
  }

  scalar(value: number, dtype: 'float32' | 'int32' = 'float32'): string {
    return dtype === 'int32'
      ? this.constant({ dtype, shape: [], data: Int32Array.of(value) })
      : this.constant({ dtype, shape: [], data: Float32Array.of(value) });
  }

  /** A vector of int32. */
  ints(dims: readonly Dim[]): string {
    if (dims.every(isFixed)) {
      return this.constant({ dtype: 'int32', shape: [dims.length], data: Int32Array.from(dims) });
    }
    return this.once(JSON.stringify(dims), () =>
      this.node(
        'Pack',
        dims.map((dim) => this.dim(dim)),
        { N: { int: dims.length }, T: { type: 'int32' }, axis: { int: 0 } },
      ),
    );
  }

  /** `x`, whose type is `T`, in another shape. */
  reshape(x: string, shape: readonly Dim[], T: GraphAttribute): string {
    const open = shape.filter((dim) => !isFixed(dim));
    // A single open size follows from the others, which needs nothing computed.
    const target =
      open.length === 1 && !shape.includes(-1) ? shape.map((dim) => (isFixed(dim) ? dim : -1)) : shape;
    return this.node('Reshape', [x, this.ints(target)], { T, Tshape: { type: 'int32' } });
  }

  /** A scalar of int32. */
  dim(dim: Dim): string {
    if (isFixed(dim)) return this.scalar(dim, 'int32');
    return this.once(JSON.stringify(dim), () => {
      if (dim.op === 'input') return this.inputSize(dim.input, dim.axis);
      const op = { add: 'AddV2', sub: 'Sub', mul: 'Mul', floorDiv: 'FloorDiv' }[dim.op];
      return this.node(op, [this.dim(dim.left), this.dim(dim.right)], { T: { type: 'int32' } });
    });
  }

  private inputSize(input: number, axis: number): string {
    const id = this.program.inputs[input]!;
    const shape = this.once(`shape of input ${input}`, () =>
      this.node('Shape', [this.value(id)], { T: { type: this.dtype(id) }, out_type: { type: 'int32' } }),
    );
    return this.node('StridedSlice', [shape, this.ints([axis]), this.ints([axis + 1]), this.ints([1])], {
      T: { type: 'int32' },
      Index: { type: 'int32' },
      shrink_axis_mask: { int: 1 },
    });
  }

  /** Adds a node that is fed in every run. */
  feed(name: string, shape: readonly number[], dtype: GraphNodeDtype = 'float32'): string {
    this.nodes.push({ name, op: 'Placeholder', attributes: { dtype: { type: dtype }, shape: { shape } } });
    return name;
  }

  private placeholder(name: string, id: ValueId): void {
    const shape = this.program.values[id]!.shape.map((dim) => (isFixed(dim) ? dim : -1));
    this.values.set(id, this.feed(name, shape, this.dtype(id)));
  }

  /** Variables are frozen unless a subclass keeps them. */
  protected lowerConstant(constant: ProgramConstant): string {
    const { id } = constant;
    const { shape } = this.program.values[id]!;
    if (constant.kind === 'fill') {
      const type = this.dtype(id);
      const value = this.scalar(constant.value, type === 'int32' ? 'int32' : 'float32');
      return this.node('Fill', [this.ints(shape), value], { T: { type }, index_type: { type: 'int32' } });
    }
    if (constant.kind === 'size') {
      const size = this.node('Cast', [this.dim(constant.dim)], {
        SrcT: { type: 'int32' },
        DstT: { type: 'float32' },
      });
      return constant.inverse ? this.node('Reciprocal', [size], { T: { type: 'float32' } }) : size;
    }
    if (constant.kind === 'data') {
      return this.constant({ dtype: this.dtype(id), shape, data: constant.data } as GraphTensor);
    }
    const { variable } = constant;
    // Read when it is needed: all weights at once would be a copy of them.
    const tensor = {
      dtype: this.dtype(id),
      shape,
      get data() {
        return variable.dataSync();
      },
    };
    return this.constant(tensor as GraphTensor);
  }

  protected once(key: string, make: () => string): string {
    const known = this.shared.get(key);
    if (known) return known;
    const made = make();
    this.shared.set(key, made);
    return made;
  }
}

/** An attribute that is a list of numbers. */
export function dimsOf(attribute: Attribute): readonly Dim[] {
  return (Array.isArray(attribute) ? attribute : [attribute]) as readonly Dim[];
}
