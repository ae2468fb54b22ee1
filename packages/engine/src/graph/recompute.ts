import type { Program, ProgramKernel, ProgramValue } from './program.ts';
import type { ValueId } from './trace.ts';

/** Layers that cost little beside the memory of their output, which would stay from the forward to the backward pass. */
const CHEAP: readonly string[] = ['AxialShift', 'Gelu', 'GroupNorm'];

/**
 * Lets the backward pass compute the outputs of cheap layers again (Chen et al., "Training Deep Nets with Sublinear Memory Cost",
 * 2016) from maps that it needs anyway, instead of keeping them. The same operations on the same numbers: results do not change.
 *
 * @param program a training step, whose first output is the last result of the forward pass.
 */
export function recomputeCheap(program: Program): Program {
  return new Recompute(program).apply();
}

class Recompute {
  private readonly program: Program;
  private readonly values: ProgramValue[];
  /** Where each value is made. */
  private readonly positions = new Map<ValueId, number>();
  private readonly copies = new Map<ValueId, ValueId>();
  private readonly kernels: ProgramKernel[] = [];
  private readonly turn: number;

  constructor(program: Program) {
    this.program = program;
    this.values = [...program.values];
    for (const [position, { outputs }] of program.kernels.entries()) {
      for (const id of outputs) this.positions.set(id, position);
    }
    this.turn = this.positions.get(program.outputs[0]!)!;
  }

  apply(): Program {
    for (const [position, kernel] of this.program.kernels.entries()) {
      this.kernels.push(position > this.turn ? this.fromCopies(kernel) : kernel);
    }
    return { ...this.program, values: this.values, kernels: this.kernels };
  }

  /** A kernel of the backward pass, with copies of the cheap layers that it reads, made when its gradient is there. */
  private fromCopies(kernel: ProgramKernel): ProgramKernel {
    const gradient = Object.values(kernel.inputs)
      .flat()
      .find((id) => (this.positions.get(id) ?? 0) > this.turn);
    if (gradient === undefined) return kernel;
    return { ...kernel, inputs: this.mapInputs(kernel, (id) => this.copy(id, gradient)) };
  }

  private copy(id: ValueId, after: ValueId): ValueId {
    const known = this.copies.get(id);
    if (known !== undefined) return known;
    const layer = this.cheapLayer(id);
    if (!layer) return id;
    const inputs = this.mapInputs(layer, (input) => this.copy(input, after));
    const outputs = layer.outputs.map((output) => this.values.push(this.values[output]!) - 1);
    for (const [i, output] of layer.outputs.entries()) this.copies.set(output, outputs[i]!);
    this.kernels.push({ ...layer, inputs, outputs, after });
    return this.copies.get(id)!;
  }

  /** The kernel of the forward pass that makes `id`, if it is a cheap layer, or its output in another shape or type. */
  private cheapLayer(id: ValueId): ProgramKernel | undefined {
    const position = this.positions.get(id);
    if (position === undefined || position > this.turn) return undefined;
    const kernel = this.program.kernels[position]!;
    const isForm = kernel.name === 'Reshape' || kernel.name === 'Cast';
    const isSame = isForm && this.cheapLayer(kernel.inputs.x as ValueId) !== undefined;
    return isSame || CHEAP.includes(kernel.name) ? kernel : undefined;
  }

  private mapInputs({ inputs }: ProgramKernel, map: (id: ValueId) => ValueId): ProgramKernel['inputs'] {
    return Object.fromEntries(
      Object.entries(inputs).map(([key, ids]) => [key, typeof ids === 'number' ? map(ids) : ids.map(map)]),
    );
  }
}
