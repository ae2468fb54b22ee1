import { type Dim, evaluateDim, isFixed } from './dims.ts';
import type { Program, ProgramConstant, ProgramKernel } from './program.ts';
import type { ValueId } from './trace.ts';

/** Sizes for inputs that are open, to tell apart numbers that follow from them in different ways. */
const TRIED = [
  [5, 37, 53, 11],
  [3, 98, 61, 29],
  [7, 64, 41, 23],
] as const;

/** What produces and what uses the values of a program. */
export class ProgramView {
  readonly program: Program;
  private readonly producers = new Map<ValueId, ProgramKernel>();
  private readonly users = new Map<ValueId, ProgramKernel[]>();
  private readonly constants: ReadonlyMap<ValueId, ProgramConstant>;
  private readonly outputs: ReadonlySet<ValueId>;

  constructor(program: Program) {
    this.program = program;
    this.constants = new Map(program.constants.map((constant) => [constant.id, constant]));
    this.outputs = new Set(program.outputs);
    for (const kernel of program.kernels) {
      for (const id of kernel.outputs) this.producers.set(id, kernel);
      for (const id of Object.values(kernel.inputs).flat()) {
        this.users.set(id, [...(this.users.get(id) ?? []), kernel]);
      }
    }
  }

  /** The kernel of this name that computes a value. */
  producer(id: ValueId | undefined, name: string): ProgramKernel | undefined {
    const kernel = id === undefined ? undefined : this.producers.get(id);
    return kernel?.name === name ? kernel : undefined;
  }

  /** The only kernel that uses a value, at one place; undefined when it is also an output. */
  onlyUser(id: ValueId): ProgramKernel | undefined {
    const users = this.users.get(id) ?? [];
    return users.length === 1 && !this.outputs.has(id) ? users[0] : undefined;
  }

  constant(id: ValueId): ProgramConstant | undefined {
    return this.constants.get(id);
  }

  /** The value of a constant of one element. */
  scalar(id: ValueId | undefined): number | undefined {
    const constant = id === undefined ? undefined : this.constants.get(id);
    return constant?.kind === 'data' && constant.data.length === 1 ? constant.data[0] : undefined;
  }

  shape(id: ValueId): readonly Dim[] {
    return this.program.values[id]!.shape;
  }

  isSameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
    return a.length === b.length && a.every((dim, axis) => this.isSame(dim, b[axis]!));
  }

  /** Whether two numbers are the same for inputs of all sizes. */
  isSame(a: Dim, b: Dim): boolean {
    if (isFixed(a) && isFixed(b)) return a === b;
    return TRIED.every((sizes) => {
      const inputs = this.program.inputs.map((id, input) =>
        this.shape(id).map((dim, axis) => (isFixed(dim) ? dim : sizes[axis % sizes.length]! + 100 * input)),
      );
      return evaluateDim(a, inputs) === evaluateDim(b, inputs);
    });
  }
}

/** An input of a kernel that is one value. */
export function inputOf(kernel: ProgramKernel | undefined, key: string): ValueId | undefined {
  const id = kernel?.inputs[key];
  return typeof id === 'number' ? id : undefined;
}

/** The two inputs of a kernel whose order does not matter, in both orders. */
export function eitherOrder(kernel: ProgramKernel | undefined): [ValueId, ValueId][] {
  const [a, b] = [inputOf(kernel, 'a'), inputOf(kernel, 'b')];
  return a === undefined || b === undefined
    ? []
    : [
        [a, b],
        [b, a],
      ];
}

/** The program with some kernels in the place of others, without what nobody needs any more. */
export function replaceKernels(
  program: Program,
  replacements: ReadonlyMap<ProgramKernel, ProgramKernel>,
): Program {
  const needed = new Set(program.outputs);
  const kernels = program.kernels
    .map((kernel) => replacements.get(kernel) ?? kernel)
    .reverse()
    .filter((kernel) => {
      if (!kernel.outputs.some((id) => needed.has(id))) return false;
      for (const id of Object.values(kernel.inputs).flat()) needed.add(id);
      return true;
    })
    .reverse();
  const constants = program.constants.filter(({ id }) => needed.has(id));
  return { ...program, kernels, constants };
}
