import { AsMlpError } from '@as-mlp/base';
import type * as tf from '@tensorflow/tfjs-core';
import { type Dim, DimSolver, evaluateDim, isFixed, type KnownDim, sameDim } from './dims.ts';
import type { Capture, Trace, TracedKernel, ValueId } from './trace.ts';

/** A type of TensorFlow.js, or what a graph may hold in between. */
export type ValueDtype = tf.DataType | 'bfloat16';

/** A value of a program; open sizes follow from the inputs. */
export interface ProgramValue {
  readonly shape: readonly Dim[];
  readonly dtype: ValueDtype;
}

/** An attribute of a kernel as tfjs-core passes it, with sizes that may depend on the inputs. */
export type Attribute = Dim | boolean | string | undefined | readonly Attribute[];

/** One kernel of a program. */
export interface ProgramKernel {
  /** Name in tfjs-core, e.g. `BatchMatMul`. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, ValueId | readonly ValueId[]>>;
  readonly attrs: Readonly<Record<string, Attribute>>;
  readonly outputs: readonly ValueId[];
  /** A value that must be there before this kernel may run, although it is not an input; for layers alone. */
  readonly after?: ValueId;
}

/** What a program holds beside its inputs. */
export type ProgramConstant =
  | { readonly kind: 'variable'; readonly id: ValueId; readonly variable: tf.Variable }
  | { readonly kind: 'data'; readonly id: ValueId; readonly data: tf.TypedArray }
  /** The same number everywhere, in a shape that depends on the inputs. */
  | { readonly kind: 'fill'; readonly id: ValueId; readonly value: number }
  /** A scalar that is a size, or one divided by it. */
  | { readonly kind: 'size'; readonly id: ValueId; readonly dim: Dim; readonly inverse: boolean };

/** A function of tensors as a list of kernels, for inputs of any size that its open dimensions allow. */
export interface Program {
  readonly values: readonly ProgramValue[];
  readonly inputs: readonly ValueId[];
  /** Further inputs: random numbers, uniform in [0, 1), new ones in every run. */
  readonly draws: readonly ValueId[];
  readonly constants: readonly ProgramConstant[];
  /** In an order in which they can run; all of them contribute to an output. */
  readonly kernels: readonly ProgramKernel[];
  readonly outputs: readonly ValueId[];
  /** The variables that the last outputs are assigned to; none in a program that is only run. */
  readonly assigned: readonly tf.Variable[];
}

/**
 * One program from traces of one function with inputs of different sizes.
 *
 * @throws AsMlpError `usage` when the function does other things for other sizes.
 */
export function mergeTraces(traces: readonly Trace[]): Program {
  return withoutIdle(new Merger(traces).merge());
}

class Merger {
  private readonly traces: readonly Trace[];
  private readonly first: Trace;
  private readonly solver = new DimSolver();
  private readonly shapes: KnownDim[][] = [];

  constructor(traces: readonly Trace[]) {
    this.traces = traces;
    this.first = traces[0]!;
    for (const trace of traces) assertAlike(this.first, trace);
  }

  merge(): Program {
    const { inputs, draws, captures, outputs, assigned } = this.first;
    for (const [input, id] of inputs.entries()) this.addInput(id, input);
    for (const id of draws) this.addShape(id, 'random numbers');
    // Captures come in the order in which kernels use them, and sizes are best told from what came before.
    const constants: ProgramConstant[] = [];
    const open = new Map(captures.map(({ id }, index) => [id, index]));
    const take = (id: ValueId) => {
      const index = open.get(id);
      if (index !== undefined) constants.push(this.constant(index));
      open.delete(id);
    };
    const kernels = this.first.kernels.map((kernel, index) => {
      for (const id of Object.values(kernel.inputs).flat()) take(id);
      return this.kernel(kernel, index);
    });
    for (const id of outputs) take(id);
    const values = this.first.values.map(({ dtype }, id) => ({
      dtype,
      shape: (this.shapes[id] ?? []).map(({ dim }) => dim),
    }));
    return { values, inputs, draws, constants, kernels, outputs, assigned };
  }

  private addInput(id: ValueId, input: number): void {
    this.shapes[id] = this.first.values[id]!.shape.map((size, axis) => {
      const values = this.shapesOf(id).map((shape) => shape[axis]!);
      const fixed = values.every((value) => value === size);
      const known: KnownDim = { dim: fixed ? size : { op: 'input', input, axis }, values };
      this.solver.learn(known);
      return known;
    });
  }

  private addShape(id: ValueId, what: string): void {
    const shapes = this.shapesOf(id);
    this.shapes[id] = shapes[0]!.map((_, axis) => {
      const values = shapes.map((shape) => shape[axis]!);
      return { dim: this.solve(`the shape of ${what}`, values, []), values };
    });
  }

  private constant(index: number): ProgramConstant {
    const captures = this.traces.map((trace) => trace.captures[index]!);
    const { id, variable } = captures[0]!;
    this.addShape(id, 'a tensor made inside');
    if (variable) return { kind: 'variable', id, variable };
    const data = captures.map((capture) => (capture as { data: tf.TypedArray }).data);
    if (data.every((other) => sameData(data[0]!, other))) return { kind: 'data', id, data: data[0]! };
    const [value] = data[0]!;
    if (data.every((all) => all.every((one) => one === value))) return { kind: 'fill', id, value: value! };
    const size = data[0]!.length === 1 && this.size(data.map(([value]) => value!));
    if (size) return { kind: 'size', id, ...size };
    throw new AsMlpError('usage', {
      what: `a compiled function makes a tensor [${this.first.values[id]!.shape}] whose values depend on the size of its inputs`,
      fix: 'Compute it with tensor operations, or pass it as an argument',
    });
  }

  private size(values: readonly number[]): { dim: Dim; inverse: boolean } | undefined {
    const dim = this.solver.solve(values);
    if (dim !== undefined) return { dim, inverse: false };
    const inverse = this.solver.solve(values.map((value) => Math.round(1 / value)));
    const exact = values.every((value) => Math.fround(1 / Math.round(1 / value)) === Math.fround(value));
    return inverse !== undefined && exact ? { dim: inverse, inverse: true } : undefined;
  }

  private kernel(kernel: TracedKernel, index: number): ProgramKernel {
    const near = Object.values(kernel.inputs)
      .flat()
      .flatMap((id) => this.shapes[id] ?? []);
    const calls = this.traces.map((trace) => trace.kernels[index]!);
    const attrs: Record<string, Attribute> = {};
    for (const key of Object.keys(kernel.attrs)) {
      attrs[key] = this.attribute(
        `${kernel.name} ${key}`,
        calls.map((call) => call.attrs[key]),
        near,
      );
    }
    for (const id of kernel.outputs) {
      const shapes = this.shapesOf(id);
      this.shapes[id] = shapes[0]!.map((_, axis) => {
        if (kernel.name === 'Concat' && axis === kernel.attrs.axis) return this.total(kernel, axis);
        const values = shapes.map((shape) => shape[axis]!);
        return { dim: this.solve(`the output of ${kernel.name}`, values, likeliest(near, axis)), values };
      });
    }
    return { name: kernel.name, inputs: kernel.inputs, attrs, outputs: kernel.outputs };
  }

  /** The size of tensors end to end. */
  private total({ inputs }: TracedKernel, axis: number): KnownDim {
    const total = Object.values(inputs)
      .flat()
      .map((id) => this.shapes[id]![axis]!)
      .reduce((a, b) => ({
        dim: isFixed(a.dim) && isFixed(b.dim) ? a.dim + b.dim : { op: 'add', left: a.dim, right: b.dim },
        values: a.values.map((value, call) => value + b.values[call]!),
      }));
    this.solver.learn(total);
    return total;
  }

  /**
   * Numbers may differ from call to call, everything else may not. Items of the outermost list belong to the axis of their
   * place: two numbers of padding, say, to the axis that is padded.
   */
  private attribute(
    where: string,
    calls: readonly unknown[],
    near: readonly KnownDim[],
    isInner = false,
  ): Attribute {
    const [one] = calls;
    if (Array.isArray(one)) {
      return one.map((_, axis) =>
        this.attribute(
          where,
          calls.map((call) => (call as unknown[])[axis]),
          isInner ? near : likeliest(near, axis),
          true,
        ),
      );
    }
    if (typeof one === 'number') return this.solve(where, calls as number[], near);
    if (calls.some((call) => call !== one)) throw unsteady(`${where} differs`);
    // Left out, and null, which some gradients pass for it.
    return (one ?? undefined) as boolean | string | undefined;
  }

  private solve(where: string, values: readonly number[], near: readonly KnownDim[]): Dim {
    const dim = this.solver.solve(values, near);
    if (dim !== undefined) return dim;
    throw unsteady(`${where} is ${values.join(', ')}, and no rule for that was found`);
  }

  private shapesOf(id: ValueId): (readonly number[])[] {
    return this.traces.map((trace) => trace.values[id]!.shape);
  }
}

/** The sizes at the same place first: the amount of padding follows from the axis that is padded. */
function likeliest(near: readonly KnownDim[], axis: number): KnownDim[] {
  const own = near[axis];
  return own ? [own, ...near.filter((known) => known !== own)] : [...near];
}

function assertAlike(first: Trace, other: Trace): void {
  const wiring = ({ name, inputs, outputs }: TracedKernel) => JSON.stringify([name, inputs, outputs]);
  const at = first.kernels.findIndex(
    (kernel, index) => !other.kernels[index] || wiring(kernel) !== wiring(other.kernels[index]),
  );
  if (at >= 0 || first.kernels.length !== other.kernels.length) {
    const names = [first, other].map((trace) => trace.kernels[at]?.name ?? 'nothing');
    throw unsteady(`step ${at + 1} is ${names[0]} once and ${names[1]} another time`);
  }
  const captured = ({ id, variable }: Capture) => `${id} ${variable?.id}`;
  const differs = first.captures.some(
    (capture, index) => !other.captures[index] || captured(capture) !== captured(other.captures[index]),
  );
  const assigns = ({ assigned }: Trace) => assigned.map(({ id }) => id).join();
  if (differs || assigns(first) !== assigns(other)) throw unsteady('it uses other tensors');
}

/**
 * Checks the sizes of a program for inputs of these shapes: padding adds what it says, reshaping keeps the number of
 * elements, and products fit.
 *
 * @throws AsMlpError `usage` where they do not.
 */
export function assertConsistent(program: Program, inputs: readonly (readonly number[])[]): void {
  const shapeOf = (id: ValueId) => program.values[id]!.shape.map((dim) => evaluateDim(dim, inputs));
  const elements = (id: ValueId) => shapeOf(id).reduce((a, b) => a * b, 1);
  for (const { name, inputs: given, outputs, attrs } of program.kernels) {
    const fits =
      name === 'PadV2'
        ? isPadded(shapeOf(given.x as ValueId), shapeOf(outputs[0]!), attrs.paddings, inputs)
        : name === 'Reshape'
          ? elements(given.x as ValueId) === elements(outputs[0]!)
          : name !== 'BatchMatMul' ||
            shapeOf(given.a as ValueId).at(attrs.transposeA ? -2 : -1) ===
              shapeOf(given.b as ValueId).at(attrs.transposeB ? -1 : -2);
    if (!fits) throw unsteady(`the sizes in ${name} do not hold for inputs of [${inputs.join('], [')}]`);
  }
}

function isPadded(
  before: readonly number[],
  after: readonly number[],
  paddings: Attribute,
  inputs: readonly (readonly number[])[],
): boolean {
  return (paddings as readonly (readonly [Dim, Dim])[]).every(
    ([first, last], axis) =>
      before[axis]! + evaluateDim(first, inputs) + evaluateDim(last, inputs) === after[axis],
  );
}

function unsteady(what: string): AsMlpError {
  return new AsMlpError('usage', {
    what: `a compiled function does not do the same for inputs of all sizes (${what})`,
    fix: 'Let every size take the same path, or compile it for one size',
  });
}

function sameData(a: tf.TypedArray, b: tf.TypedArray): boolean {
  return a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
}

/** Without the kernels that only pass on a tensor, and those whose results nobody uses. */
export function withoutIdle(program: Program): Program {
  const alias = new Map<ValueId, ValueId>();
  const resolve = (id: ValueId): ValueId => alias.get(id) ?? id;
  const kept: ProgramKernel[] = [];
  for (const kernel of program.kernels) {
    const inputs = Object.fromEntries(
      Object.entries(kernel.inputs).map(([key, ids]) => [
        key,
        typeof ids === 'number' ? resolve(ids) : ids.map(resolve),
      ]),
    );
    if (passesOn(kernel, program.values)) alias.set(kernel.outputs[0]!, inputs.x as ValueId);
    else kept.push({ ...kernel, inputs });
  }
  const outputs = program.outputs.map(resolve);
  const needed = new Set(outputs);
  const kernels = kept.reverse().filter((kernel) => {
    if (!kernel.outputs.some((id) => needed.has(id))) return false;
    for (const id of Object.values(kernel.inputs).flat()) needed.add(id);
    return true;
  });
  const constants = program.constants.filter(({ id }) => needed.has(id));
  return { ...program, constants, kernels: kernels.reverse(), outputs };
}

function passesOn({ name, inputs, outputs }: ProgramKernel, values: readonly ProgramValue[]): boolean {
  if (name === 'Identity') return true;
  const [from, to] = [values[inputs.x as ValueId], values[outputs[0]!]];
  if (!from || !to) return false;
  if (name === 'Cast') return from.dtype === to.dtype;
  const sameShape =
    from.shape.length === to.shape.length && from.shape.every((dim, i) => sameDim(dim, to.shape[i]!));
  return name === 'Reshape' && sameShape;
}
