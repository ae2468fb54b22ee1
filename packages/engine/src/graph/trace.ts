import * as tf from '@tensorflow/tfjs-core';
import {
  type KernelArguments,
  type KernelListener,
  onShapeBackend,
  reassignedNotAllowed,
  type ShapeBackend,
} from './shape-backend.ts';

/** What a value of a trace is; `shape` is that of this one call. */
export interface TracedValue {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/** Index into the values of a trace. */
export type ValueId = number;

/** One kernel that ran. */
export interface TracedKernel {
  /** Name in tfjs-core, e.g. `BatchMatMul`. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, ValueId | readonly ValueId[]>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: readonly ValueId[];
}

/** A tensor that the function used and did not get as an argument. */
export type Capture =
  | { readonly id: ValueId; readonly variable: tf.Variable }
  | { readonly id: ValueId; readonly variable?: undefined; readonly data: tf.TypedArray };

/** Everything that one call of a function did. */
export interface Trace {
  readonly values: readonly TracedValue[];
  readonly inputs: readonly ValueId[];
  /** Random numbers in the order in which they were drawn. */
  readonly draws: readonly ValueId[];
  readonly captures: readonly Capture[];
  readonly kernels: readonly TracedKernel[];
  /** What the function returned, and after it what it assigned. */
  readonly outputs: readonly ValueId[];
  /** The variables that the last outputs are assigned to. */
  readonly assigned: readonly tf.Variable[];
}

/** A function whose calls are written down. `draw` gives the place of random numbers of a shape. */
export type TracedFunction = (
  inputs: tf.Tensor[],
  draw: (shape: readonly number[]) => tf.Tensor,
) => tf.Tensor | readonly tf.Tensor[];

/**
 * Follows `fn` once and writes down the kernels that it runs. Nothing is computed: tensors have shapes alone, and those
 * that it makes are freed.
 *
 * @param inputs shapes and types of the arguments.
 * @param mayAssign whether `fn` may assign variables, each once; they keep their values. Otherwise that is an error.
 * @throws AsMlpError `usage` that names the line when `fn` reads the values of a tensor.
 */
export function trace(fn: TracedFunction, inputs: readonly TracedValue[], mayAssign = false): Trace {
  const recorder = new Recorder(mayAssign);
  return onShapeBackend(recorder, (backend) =>
    tf.tidy(() => recorder.follow(fn, inputs, backend) as unknown as tf.Tensor),
  ) as unknown as Trace;
}

/**
 * Values are known by their data, type and shape: a backend may let a tensor that was given another shape or type share
 * the data of the first.
 */
class Recorder implements KernelListener {
  private backend: ShapeBackend | undefined;
  private readonly ids = new Map<object, Map<string, ValueId>>();
  private readonly values: TracedValue[] = [];
  private readonly captures: Capture[] = [];
  private readonly kernels: TracedKernel[] = [];
  private readonly draws: ValueId[] = [];
  /** New values of variables, by the data of the old ones. */
  private readonly assigned = new Map<object, { readonly variable: tf.Variable; readonly id: ValueId }>();
  readonly onAssign: KernelListener['onAssign'];

  constructor(mayAssign: boolean) {
    if (!mayAssign) return;
    this.onAssign = (variable, value) => {
      this.assigned.set(variable.dataId, { variable, id: this.use(value) });
    };
  }

  follow(fn: TracedFunction, given: readonly TracedValue[], backend: ShapeBackend): Trace {
    this.backend = backend;
    const tensors = given.map((value) => backend.tensor(value));
    const inputs = tensors.map((tensor) => this.define(tensor));
    const result = fn(tensors, (shape) => {
      const place = backend.tensor({ shape, dtype: 'float32' });
      this.draws.push(this.define(place));
      return place;
    });
    const results = [result as tf.Tensor | tf.Tensor[]].flat();
    const outputs = results.map((output) => this.use(output));
    const { values, draws, captures, kernels } = this;
    // Those that `fn` kept would outlive the recording.
    const made = new Set(kernels.flatMap((kernel) => kernel.outputs));
    for (const [i, output] of results.entries()) if (made.has(outputs[i]!)) output.dispose();
    const assigned = [...this.assigned.values()];
    return {
      values,
      inputs,
      draws,
      captures,
      kernels,
      outputs: [...outputs, ...assigned.map(({ id }) => id)],
      assigned: assigned.map(({ variable }) => variable),
    };
  }

  onKernel(name: string, args: KernelArguments, outputs: readonly tf.TensorInfo[]): void {
    const inputs: Record<string, ValueId | ValueId[]> = {};
    for (const [key, value] of Object.entries(args.inputs)) {
      if (value === undefined || value === null) continue;
      inputs[key] = Array.isArray(value)
        ? value.map((one) => this.use(one))
        : this.use(value as tf.TensorInfo);
    }
    const defined = outputs.map((output) => this.define(output));
    this.kernels.push({ name, inputs, attrs: { ...args.attrs }, outputs: defined });
  }

  private define({ dataId, shape, dtype }: tf.TensorInfo): ValueId {
    const id = this.values.push({ shape: [...shape], dtype }) - 1;
    const shapes = this.ids.get(dataId) ?? new Map<string, ValueId>();
    shapes.set(`${dtype} ${shape}`, id);
    this.ids.set(dataId, shapes);
    return id;
  }

  private use(tensor: tf.TensorInfo): ValueId {
    if (this.assigned.has(tensor.dataId)) throw reassignedNotAllowed();
    const known = this.ids.get(tensor.dataId)?.get(`${tensor.dtype} ${tensor.shape}`);
    if (known !== undefined) return known;
    const id = this.define(tensor);
    const variable = variableOf(tensor.dataId);
    if (variable) {
      this.captures.push({ id, variable });
      return id;
    }
    const data = this.backend!.valuesOf(tensor.dataId) as tf.TypedArray;
    this.captures.push({ id, data: data.slice() });
    return id;
  }
}

function variableOf(dataId: object): tf.Variable | undefined {
  return Object.values(tf.engine().state.registeredVariables).find((variable) => variable.dataId === dataId);
}
