import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { SHAPE_RULES, type TensorShape } from './shape-rules.ts';

/** The arguments of a kernel, as tfjs-core gives them. */
export type KernelArguments = Parameters<tf.KernelFunc>[0];

/** Is told of each kernel: its name, its arguments and what it gave. */
export interface KernelListener {
  onKernel(name: string, args: KernelArguments, outputs: readonly tf.TensorInfo[]): void;
  /** Is told of each value that a variable is to get, instead of the variable. Without it assigning is an error. */
  onAssign?(variable: tf.Variable, value: tf.Tensor): void;
}

/** What a tensor of the shape backend holds: values where JavaScript gave them, none where a kernel would have. */
interface Held {
  readonly values: tf.backend_util.BackendValues | undefined;
  references: number;
}

const NAME = 'shapes';

/**
 * A backend that computes nothing: its kernels give tensors of the right shape without values. So a function can be
 * followed at the cost of its JavaScript, whatever the sizes. A kernel without a rule for its shapes runs on zeros on the
 * backend that was there before.
 */
export class ShapeBackend extends tf.KernelBackend {
  private readonly held = new Map<object, Held>();
  private readonly before: string | undefined;
  private readonly listener: KernelListener;
  /** Whether tensors may be read now. */
  mayRead = false;

  constructor(before: string | undefined, listener: KernelListener) {
    super();
    this.before = before;
    this.listener = listener;
  }

  run(name: string, args: KernelArguments): tf.TensorInfo | tf.TensorInfo[] {
    const inputs = args.inputs as Readonly<Record<string, tf.TensorInfo>>;
    const attrs = (args.attrs ?? {}) as Readonly<Record<string, unknown>>;
    const given = SHAPE_RULES[name]?.({ inputs, attrs }) ?? this.runForShapes(name, args);
    const outputs = [given]
      .flat()
      .map(({ shape, dtype }) => ({ dataId: this.hold(undefined), shape, dtype }));
    this.listener.onKernel(name, args, outputs);
    // Whether a kernel gives a list is known to the ops that call it.
    return Array.isArray(given) ? outputs : outputs[0]!;
  }

  /** A tensor without values. */
  tensor({ shape, dtype }: { readonly shape: readonly number[]; readonly dtype: tf.DataType }): tf.Tensor {
    const dataId = this.hold(undefined);
    return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype }, this);
  }

  private runForShapes(name: string, { inputs, attrs }: KernelArguments): TensorShape | TensorShape[] {
    if (this.before === undefined || !tf.getKernel(name, this.before)) {
      throw new AsMlpError('usage', {
        what: `a compiled function uses ${name}, which has no counterpart in a graph yet`,
        fix: 'Run the function without compiling it',
      });
    }
    this.mayRead = true;
    void tf.setBackend(this.before);
    try {
      const zeros = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(zeros);
        if (!value) return value;
        const { shape, dtype } = value as tf.TensorInfo;
        return tf.zeros(shape, dtype);
      };
      const args = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, zeros(value)]));
      const outputs = tf.tidy(() => tf.engine().runKernel(name, args as tf.NamedTensorMap, attrs));
      tf.dispose([outputs, args] as tf.TensorContainer);
      return outputs;
    } finally {
      void tf.setBackend(NAME);
      this.mayRead = false;
    }
  }

  /** The values of a tensor that was made outside of kernels, here or on another backend. */
  valuesOf(dataId: object): tf.backend_util.BackendValues {
    this.mayRead = true;
    try {
      return tf.engine().readSync(dataId);
    } finally {
      this.mayRead = false;
    }
  }

  private hold(values: Held['values']): object {
    const dataId = {};
    this.held.set(dataId, { values, references: 1 });
    return dataId;
  }

  override write(values: tf.backend_util.BackendValues): object {
    return this.hold(values);
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    _shape: number[],
    _dtype: tf.DataType,
    references: number,
  ): void {
    this.held.set(dataId, { values, references });
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const values = this.held.get(dataId)?.values;
    if (!this.mayRead || !values) throw readNotAllowed();
    return values;
  }

  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    return this.readSync(dataId);
  }

  override refCount(dataId: object): number {
    return this.held.get(dataId)?.references ?? 0;
  }

  override incRef(dataId: object): void {
    const held = this.held.get(dataId);
    if (held) held.references++;
  }

  override disposeData(dataId: object, force = false): boolean {
    const held = this.held.get(dataId);
    if (!held) return true;
    held.references--;
    if (held.references > 0 && !force) return false;
    this.held.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.held.size;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override dispose(): void {}
}

/**
 * Runs `work` on a new {@link ShapeBackend}. Reading a tensor is an error meanwhile, and so is assigning
 * a variable unless `listener` takes it. Tensors that
 * survive – parameters that took their first values – go over to the next backend that uses them.
 */
export function onShapeBackend<T>(listener: KernelListener, work: (backend: ShapeBackend) => T): T {
  // Not set before an engine is open.
  const before: string | undefined = tf.engine().backendName || undefined;
  const backend = new ShapeBackend(before, listener);
  for (const kernelName of [...Object.keys(SHAPE_RULES), ...kernelNames(before)]) {
    if (tf.getKernel(kernelName, NAME)) continue;
    const kernelFunc: tf.KernelFunc = (args) => (args.backend as ShapeBackend).run(kernelName, args);
    tf.registerKernel({ kernelName, backendName: NAME, kernelFunc });
  }
  tf.registerBackend(NAME, () => backend);
  void tf.setBackend(NAME);
  const allowReads = guardReads(backend, listener, before === undefined ? null : tf.findBackend(before));
  try {
    return work(backend);
  } finally {
    allowReads();
    backend.mayRead = true;
    // Both happen at once: the other backend is there.
    if (before !== undefined) void tf.setBackend(before);
    tf.removeBackend(NAME);
  }
}

function kernelNames(backendName: string | undefined): string[] {
  return backendName === undefined
    ? []
    : tf.getKernelsForBackend(backendName).map(({ kernelName }) => kernelName);
}

/** Makes reading a tensor of the backend before, and changing a variable, errors; returns what allows it again. */
function guardReads(
  shapes: ShapeBackend,
  listener: KernelListener,
  before: tf.KernelBackend | null,
): () => void {
  const { assign } = tf.Variable.prototype;
  tf.Variable.prototype.assign = function assignLater(this: tf.Variable, value: tf.Tensor): void {
    if (!listener.onAssign) {
      throw notAllowed('assigns a variable', 'Return the new value and assign it outside');
    }
    listener.onAssign(this, value);
  };
  const allowAssigning = () => {
    tf.Variable.prototype.assign = assign;
  };
  if (!before) return allowAssigning;
  const original = { read: before.read, readSync: before.readSync };
  const guard = <F extends (...args: never[]) => unknown>(method: F) =>
    function guarded(this: tf.KernelBackend, ...args: Parameters<F>): unknown {
      if (!shapes.mayRead) throw readNotAllowed();
      return method.apply(this, args);
    };
  before.read = guard(original.read) as typeof before.read;
  before.readSync = guard(original.readSync) as typeof before.readSync;
  return () => {
    allowAssigning();
    Reflect.deleteProperty(before, 'read');
    Reflect.deleteProperty(before, 'readSync');
    if (before.read !== original.read) Object.assign(before, original);
  };
}

/** The error of a function that reads a variable whose new value it has just given. */
export const reassignedNotAllowed = () =>
  notAllowed('reads a variable that it has assigned before', 'Use the value that was assigned');

const readNotAllowed = () =>
  notAllowed('reads the values of a tensor', 'Return the tensor and read it outside');

function notAllowed(what: string, fix: string): AsMlpError {
  const limit = Error.stackTraceLimit;
  // The frames of tfjs-core alone may be more than the ten that are the rule.
  Error.stackTraceLimit = 50;
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  Error.stackTraceLimit = limit;
  const own = frames.find(
    (line) => !/node_modules|node:|[/\\]graph[/\\](?:shape-backend|trace)\.[tj]s/.test(line),
  );
  const place = /\(?((?:file:[/][/])?[^()\s]+:\d+:\d+)\)?$/.exec(own ?? '')?.[1];
  return new AsMlpError('usage', {
    where: place,
    what: `a compiled function ${what}`,
    fix: `${fix}, or run the function without compiling it`,
  });
}
