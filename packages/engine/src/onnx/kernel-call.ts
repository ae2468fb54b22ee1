import { AsMlpError } from '@as-mlp/base';
import { type Dim, isFixed } from '../graph/dims.ts';
import type { Attribute, Program, ProgramKernel, ProgramValue, ValueDtype } from '../graph/program.ts';
import type { ValueId } from '../graph/trace.ts';
import type { OnnxGraph } from './graph.ts';

/** Writes a kernel as operators; gives the names of its outputs. */
export type Lowering = (call: KernelCall) => string | readonly string[];

/** Lowerings by the name of the kernel. */
export type Lowerings = Readonly<Record<string, Lowering>>;

/** One kernel of a program, with the names that its inputs have in the graph. */
export class KernelCall {
  readonly graph: OnnxGraph;
  readonly kernel: ProgramKernel;
  private readonly values: readonly ProgramValue[];
  private readonly names: ReadonlyMap<ValueId, string>;

  constructor(
    graph: OnnxGraph,
    kernel: ProgramKernel,
    program: Program,
    names: ReadonlyMap<ValueId, string>,
  ) {
    this.graph = graph;
    this.kernel = kernel;
    this.values = program.values;
    this.names = names;
  }

  /** Name of one input. */
  input(key: string): string {
    return this.names.get(this.id(key))!;
  }

  /** Names of all inputs, in order. */
  inputs(): string[] {
    return Object.values(this.kernel.inputs)
      .flat()
      .map((id) => this.names.get(id)!);
  }

  has(key: string): boolean {
    return this.kernel.inputs[key] !== undefined;
  }

  shape(key: string): readonly Dim[] {
    return this.values[this.id(key)]!.shape;
  }

  rank(key: string): number {
    return this.shape(key).length;
  }

  dtype(key: string): ValueDtype {
    return this.values[this.id(key)]!.dtype;
  }

  /** What output number `index` is. */
  output(index = 0): ProgramValue {
    return this.values[this.kernel.outputs[index]!]!;
  }

  private id(key: string): ValueId {
    return this.kernel.inputs[key] as ValueId;
  }

  attribute(key: string): Attribute {
    return this.kernel.attrs[key];
  }

  flag(key: string): boolean {
    return Boolean(this.kernel.attrs[key]);
  }

  /** A number or a list of numbers, as a list. */
  dims(key: string): Dim[] {
    const value = this.kernel.attrs[key];
    return (Array.isArray(value) ? value : [value]) as Dim[];
  }

  /** Numbers that may not depend on the inputs. */
  numbers(key: string): number[] {
    return this.dims(key).map((dim) => {
      if (typeof dim === 'number' && isFixed(dim)) return dim;
      throw this.unsupported(`with a ${key} that depends on the size of the inputs`);
    });
  }

  number(key: string): number {
    return this.numbers(key)[0]!;
  }

  /** The axes that an attribute names, from the front; all when it names none. */
  axes(key: string, rank: number): number[] {
    if (this.kernel.attrs[key] === undefined) return Array.from({ length: rank }, (_, axis) => axis);
    return this.numbers(key).map((axis) => (axis < 0 ? axis + rank : axis));
  }

  unsupported(how: string): AsMlpError {
    return unsupportedKernel(`${this.kernel.name} ${how}`);
  }
}

/** Says which kernel an ONNX model cannot hold. */
export function unsupportedKernel(what: string): AsMlpError {
  return new AsMlpError('usage', {
    what: `${what} cannot be written as ONNX`,
    fix: 'Compute it with other operations, or outside the exported function',
  });
}
