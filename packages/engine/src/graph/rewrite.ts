import type * as tf from '@tensorflow/tfjs-core';
import type { Dim } from './dims.ts';
import { type Program, type ProgramConstant, type ProgramKernel, withoutIdle } from './program.ts';
import type { ValueId } from './trace.ts';

/**
 * What to run instead of a kernel: kernels that give all its outputs. Undefined leaves it as it is. What only the
 * replaced kernel needed goes away by itself.
 */
export type Rule = (kernel: ProgramKernel, view: ProgramView) => readonly ProgramKernel[] | undefined;

/** Applies a rule to every kernel of a program, once. */
export function rewrite(program: Program, rule: Rule): Program {
  const view = new ProgramView(program);
  const kernels = program.kernels.flatMap((kernel) => rule(kernel, view) ?? [kernel]);
  return withoutIdle({ ...program, values: view.values, constants: view.allConstants(), kernels });
}

/** A program as rules look at it: from a value back to what made it. */
export class ProgramView {
  /** Those of the program, and those that rules made. */
  readonly values: Program['values'][number][];
  private readonly producers = new Map<ValueId, ProgramKernel>();
  private readonly constants: Map<ValueId, ProgramConstant>;
  private readonly uses = new Map<ValueId, number>();

  constructor(program: Program) {
    this.values = [...program.values];
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

  /** The kernel that makes `id`, if its name is `name`. */
  made(name: string, id: ValueId | undefined): ProgramKernel | undefined {
    const kernel = id === undefined ? undefined : this.producers.get(id);
    return kernel?.name === name ? kernel : undefined;
  }

  isConstant(id: ValueId): boolean {
    return this.constants.has(id);
  }

  /** Whether one kernel alone needs `id`. */
  isUsedOnce(id: ValueId): boolean {
    return this.uses.get(id) === 1;
  }

  /** The elements of a constant, or of a constant in another shape, as they are now. */
  elements(id: ValueId): tf.TypedArray | undefined {
    const constant = this.constants.get(id);
    if (constant?.kind === 'variable') return constant.variable.dataSync();
    if (constant?.kind === 'data') return constant.data;
    const inner = inputOf(this.made('Reshape', id), 'x');
    return inner === undefined ? undefined : this.elements(inner);
  }

  /** The number that a constant of one element holds. */
  scalar(id: ValueId): number | undefined {
    const constant = this.constants.get(id);
    return constant?.kind === 'data' && constant.data.length === 1 ? constant.data[0] : undefined;
  }

  /** The size that a constant of one element holds. */
  size(id: ValueId): Dim | undefined {
    const constant = this.constants.get(id);
    return constant?.kind === 'size' && !constant.inverse ? constant.dim : this.scalar(id);
  }

  shape(id: ValueId): readonly Dim[] {
    return this.values[id]!.shape;
  }

  /** A value like `id` in another shape, for a kernel of a rule to give. */
  define(id: ValueId, shape: readonly Dim[]): ValueId {
    return this.values.push({ ...this.values[id]!, shape }) - 1;
  }

  /** A constant of a rule. */
  constant(data: Float32Array, shape: readonly number[]): ValueId {
    const id = this.values.push({ dtype: 'float32', shape }) - 1;
    this.constants.set(id, { kind: 'data', id, data });
    return id;
  }
}

/** The input of a kernel that is one tensor. */
export function inputOf(kernel: ProgramKernel | undefined, key: string): ValueId | undefined {
  return kernel?.inputs[key] as ValueId | undefined;
}

/** The two operands of a kernel that may be swapped, in both orders. */
export function operands(kernel: ProgramKernel | undefined): readonly (readonly [ValueId, ValueId])[] {
  if (!kernel) return [];
  const { a, b } = kernel.inputs as { a: ValueId; b: ValueId };
  return [
    [a, b],
    [b, a],
  ];
}
