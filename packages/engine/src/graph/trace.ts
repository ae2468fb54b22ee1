import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';

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
  readonly outputs: readonly ValueId[];
}

/** A function whose calls are written down. `draw` gives the place of random numbers of a shape. */
export type TracedFunction = (
  inputs: tf.Tensor[],
  draw: (shape: readonly number[]) => tf.Tensor,
) => tf.Tensor | readonly tf.Tensor[];

/**
 * Runs `fn` once and writes down the kernels that it runs, on whichever backend is current. Tensors that it makes are
 * freed.
 *
 * @throws AsMlpError `usage` that names the line when `fn` reads the values of a tensor.
 */
export function trace(fn: TracedFunction, inputs: readonly tf.Tensor[]): Trace {
  const recorder = new Recorder(inputs);
  const restoreKernels = wrapKernels(recorder);
  const restoreReads = forbidReads(recorder);
  try {
    return tf.tidy(() => {
      const result = fn([...inputs], (shape) => recorder.draw(shape));
      const outputs = Array.isArray(result) ? (result as tf.Tensor[]) : [result as tf.Tensor];
      return recorder.finish(outputs) as unknown as tf.Tensor;
    }) as unknown as Trace;
  } finally {
    restoreReads();
    restoreKernels();
  }
}

/**
 * Values are known by their data, type and shape: a backend may let a tensor that was given another shape or type share
 * the data of the first.
 */
class Recorder {
  private readonly ids = new Map<object, Map<string, ValueId>>();
  private readonly values: TracedValue[] = [];
  private readonly captures: Capture[] = [];
  private readonly kernels: TracedKernel[] = [];
  private readonly inputs: readonly ValueId[];
  private readonly draws: ValueId[] = [];
  /** Inside a kernel, which may read what it likes and whose own kernels are not written down. */
  private inside = false;

  constructor(inputs: readonly tf.Tensor[]) {
    this.inputs = inputs.map((tensor) => this.define(tensor));
  }

  /** Zeros that stand for random numbers. */
  draw(shape: readonly number[]): tf.Tensor {
    const place = tf.zeros([...shape]);
    this.draws.push(this.define(place));
    return place;
  }

  private record(name: string, args: KernelArguments, outputs: readonly tf.TensorInfo[]): void {
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

  /** Whether a tensor may be read now. */
  get mayRead(): boolean {
    return this.inside;
  }

  /** Runs a kernel and writes it down, unless it belongs to another. */
  run(kernel: tf.KernelConfig, args: KernelArguments): ReturnType<tf.KernelFunc> {
    if (this.inside) return kernel.kernelFunc(args);
    const result = this.enter(() => kernel.kernelFunc(args));
    this.record(kernel.kernelName, args, Array.isArray(result) ? result : [result]);
    return result;
  }

  private enter<T>(work: () => T): T {
    this.inside = true;
    try {
      return work();
    } finally {
      this.inside = false;
    }
  }

  finish(outputs: readonly tf.Tensor[]): Trace {
    const ids = outputs.map((output) => this.use(output));
    const { values, inputs, draws, captures, kernels } = this;
    return { values, inputs, draws, captures, kernels, outputs: ids };
  }

  private define({ dataId, shape, dtype }: tf.TensorInfo): ValueId {
    const id = this.values.push({ shape: [...shape], dtype }) - 1;
    const shapes = this.ids.get(dataId) ?? new Map<string, ValueId>();
    shapes.set(`${dtype} ${shape}`, id);
    this.ids.set(dataId, shapes);
    return id;
  }

  private use(tensor: tf.TensorInfo): ValueId {
    const known = this.ids.get(tensor.dataId)?.get(`${tensor.dtype} ${tensor.shape}`);
    if (known !== undefined) return known;
    const id = this.define(tensor);
    const variable = variableOf(tensor.dataId);
    if (variable) {
      this.captures.push({ id, variable });
      return id;
    }
    const data = this.enter(() => tf.backend().readSync(tensor.dataId) as tf.TypedArray);
    this.captures.push({ id, data: data.slice() });
    return id;
  }
}

type KernelArguments = Parameters<tf.KernelFunc>[0];

function variableOf(dataId: object): tf.Variable | undefined {
  return Object.values(tf.engine().state.registeredVariables).find((variable) => variable.dataId === dataId);
}

/** Puts a recording shell around every kernel of the current backend; returns what takes it off. */
function wrapKernels(recorder: Recorder): () => void {
  const kernels = tf.getKernelsForBackend(tf.getBackend());
  const replace = (kernel: tf.KernelConfig) => {
    tf.unregisterKernel(kernel.kernelName, kernel.backendName);
    tf.registerKernel(kernel);
  };
  for (const kernel of kernels) replace({ ...kernel, kernelFunc: (args) => recorder.run(kernel, args) });
  return () => {
    for (const kernel of kernels) replace(kernel);
  };
}

/** Makes reading a tensor and changing a variable errors; returns what allows it again. */
function forbidReads(recorder: Recorder): () => void {
  const backend = tf.backend();
  const original = { read: backend.read, readSync: backend.readSync };
  const guard = <F extends (...args: never[]) => unknown>(method: F) =>
    function guarded(this: tf.KernelBackend, ...args: Parameters<F>): unknown {
      if (!recorder.mayRead)
        throw notAllowed('reads the values of a tensor', 'Return the tensor and read it outside');
      return method.apply(this, args);
    };
  backend.read = guard(original.read) as typeof backend.read;
  backend.readSync = guard(original.readSync) as typeof backend.readSync;
  const { assign } = tf.Variable.prototype;
  tf.Variable.prototype.assign = () => {
    throw notAllowed('assigns a variable', 'Return the new value and assign it outside');
  };
  return () => {
    tf.Variable.prototype.assign = assign;
    Reflect.deleteProperty(backend, 'read');
    Reflect.deleteProperty(backend, 'readSync');
    if (backend.read !== original.read) Object.assign(backend, original);
  };
}

function notAllowed(what: string, fix: string): AsMlpError {
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  const own = frames.find((line) => !/node_modules|node:|[/\\]graph[/\\]trace\.[tj]s/.test(line));
  const place = /\(?((?:file:[/][/])?[^()\s]+:\d+:\d+)\)?$/.exec(own ?? '')?.[1];
  return new AsMlpError('usage', {
    where: place,
    what: `a compiled function ${what}`,
    fix: `${fix}, or run the function without compiling it`,
  });
}
