import type * as tf from '@tensorflow/tfjs-core';
import { type Dim, evaluateDim, isFixed } from './dims.ts';
import type { Program, ProgramConstant, ProgramKernel, ProgramValue } from './program.ts';
import type { ValueId } from './trace.ts';

/** Sizes for inputs that are open, to tell apart numbers that follow from them in different ways. */
const TRIED = [
  [5, 37, 53, 11],
  [3, 98, 61, 29],
  [7, 64, 41, 23],
] as const;

/** A program as rules look at it: from a value back to what made it. */
export class ProgramView {
  /** Those of the program, and those that rules made. */
  readonly values: ProgramValue[];
  private readonly inputs: readonly ValueId[];
  private readonly producers = new Map<ValueId, ProgramKernel>();
  private readonly constants: Map<ValueId, ProgramConstant>;
  private readonly uses = new Map<ValueId, number>();
  /** Constants in another shape, by the constant and the shape. */
  private readonly reshaped = new Map<string, ValueId>();

  constructor(program: Program) {
    this.values = [...program.values];
    this.inputs = program.inputs;
    this.constants = new Map(program.constants.map((constant) => [constant.id, constant]));
    for (const kernel of program.kernels) {
      for (const id of kernel.outputs) this.producers.set(id, kernel);
    }
    const used = [
      ...program.kernels.flatMap(({ inputs }) => Object.values(inputs).flat()),
      ...program.outputs,
    ];
    for (const id of used) this.uses.set(id, (this.uses.get(id) ?? 0) + 1);
  }

  allConstants(): ProgramConstant[] {
    return [...this.constants.values()];
  }

  /** The kernel that makes `id`, if it has one of these names. */
  producer(id: ValueId | undefined, ...names: readonly string[]): ProgramKernel | undefined {
    const kernel = id === undefined ? undefined : this.producers.get(id);
    return kernel && names.includes(kernel.name) ? kernel : undefined;
  }

  /** Whether `id` is needed at one place alone; an output is needed by whoever runs the program. */
  isUsedOnce(id: ValueId): boolean {
    return this.uses.get(id) === 1;
  }

  constant(id: ValueId | undefined): ProgramConstant | undefined {
    return id === undefined ? undefined : this.constants.get(id);
  }

  /** The elements of a constant, as they are now. */
  elements(id: ValueId | undefined): tf.TypedArray | undefined {
    const constant = this.constant(id);
    if (constant?.kind === 'variable') return constant.variable.dataSync();
    return constant?.kind === 'data' ? constant.data : undefined;
  }

  /** The number that a constant of one element holds. */
  scalar(id: ValueId | undefined): number | undefined {
    const constant = this.constant(id);
    return constant?.kind === 'data' && constant.data.length === 1 ? constant.data[0] : undefined;
  }

  /** The size that a constant of one element holds. */
  size(id: ValueId | undefined): Dim | undefined {
    const constant = this.constant(id);
    return constant?.kind === 'size' && !constant.inverse ? constant.dim : this.scalar(id);
  }

  shape(id: ValueId): readonly Dim[] {
    return this.values[id]!.shape;
  }

  isSameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
    return a.length === b.length && a.every((dim, axis) => this.isSame(dim, b[axis]!));
  }

  /** Whether two numbers are the same for inputs of all sizes. */
  isSame(a: Dim, b: Dim): boolean {
    if (isFixed(a) && isFixed(b)) return a === b;
    return TRIED.every((sizes) => {
      const inputs = this.inputs.map((id, input) =>
        this.shape(id).map((dim, axis) => (isFixed(dim) ? dim : sizes[axis % sizes.length]! + 100 * input)),
      );
      return evaluateDim(a, inputs) === evaluateDim(b, inputs);
    });
  }

  /** A value like `id`, for a kernel of a rule to give; of another type if that is named. */
  define(id: ValueId, dtype = this.values[id]!.dtype): ValueId {
    return this.values.push({ ...this.values[id]!, dtype }) - 1;
  }

  /** A value for a kernel of a rule to give. */
  make(dtype: ProgramValue['dtype'], shape: readonly Dim[]): ValueId {
    return this.values.push({ dtype, shape }) - 1;
  }

  /** A constant of a rule. */
  addConstant(data: Float32Array, shape: readonly number[]): ValueId {
    const id = this.values.push({ dtype: 'float32', shape }) - 1;
    this.constants.set(id, { kind: 'data', id, data });
    return id;
  }

  /** The constant `id`, or the constant that a reshape makes `id` of as one of that shape. */
  asConstant(id: ValueId): ValueId | undefined {
    if (this.constants.has(id)) return id;
    const source = inputOf(this.producer(id, 'Reshape'), 'x');
    return source === undefined ? undefined : this.constantAs(source, this.shape(id));
  }

  /** The constant `source` in another shape; undefined if it is none. */
  constantAs(source: ValueId, shape: readonly Dim[]): ValueId | undefined {
    const constant = this.constant(source);
    if (!constant || constant.kind === 'size' || !shape.every(isFixed)) return undefined;
    const key = `${source} as [${shape}]`;
    const known = this.reshaped.get(key);
    if (known !== undefined) return known;
    const made = this.values.push({ ...this.values[source]!, shape }) - 1;
    this.constants.set(made, { ...constant, id: made });
    this.reshaped.set(key, made);
    return made;
  }
}

/** An input of a kernel that is one value. */
export function inputOf(kernel: ProgramKernel | undefined, key: string): ValueId | undefined {
  const id = kernel?.inputs[key];
  return typeof id === 'number' ? id : undefined;
}

/** The two operands of a kernel that may be swapped, in both orders. */
export function operands(kernel: ProgramKernel | undefined): readonly (readonly [ValueId, ValueId])[] {
  const [a, b] = [inputOf(kernel, 'a'), inputOf(kernel, 'b')];
  if (a === undefined || b === undefined) return [];
  return [
    [a, b],
    [b, a],
  ];
}
