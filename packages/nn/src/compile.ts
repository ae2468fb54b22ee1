import type * as tf from '@tensorflow/tfjs-core';

/** A function of tensors that gives one tensor or several. */
export type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor | readonly tf.Tensor[];

/**
 * A size that may differ from call to call; inputs that name the same one agree in it. Sizes of images are `height` and
 * `width`, since padding to strides is tried out on them; `list 0`, `list 1`, … are lengths of lists.
 */
export type OpenSize = 'batch' | 'height' | 'width' | `list ${number}`;

/** What one argument of a compiled function may be. */
export interface InputSpec {
  readonly shape: readonly (number | OpenSize)[];
  /** `float32` unless given. */
  readonly dtype?: 'float32' | 'int32';
}

/** In what matrix products are computed; sums and everything else are float32 in both. */
export type Precision = 'float32' | 'bf16';

/** How a function is compiled. */
export interface CompileOptions {
  /** One for each argument. */
  readonly inputs: readonly InputSpec[];
  /** Whether what follows from the recordings may be kept on disk for the next process. Default true. */
  readonly cache?: boolean;
  /** That of the engine unless given. `bf16` is no gain on processors that lack its instructions. */
  readonly precision?: Precision;
}

/** A function that runs as one graph, off the event loop where the engine can. */
export interface Compiled<F extends TensorFunction> {
  /** The results belong to the caller. */
  (...inputs: Parameters<F>): Promise<ReturnType<F>>;
  /** Whether it runs as a graph, or is the plain function because the engine cannot compile. */
  readonly isGraph: boolean;
  /**
   * Frees the values of results, as `data()` gave them, without waiting for the garbage collector, which does not see how
   * large they are. The arrays are empty afterwards, and tensors that still hold them cannot be used. Does nothing where the
   * function is not a graph.
   */
  free(...values: readonly (Float32Array | Int32Array | Uint8Array)[]): void;
  /** Frees the graph. Calls that are under way come to their end. */
  dispose(): Promise<void>;
}

/**
 * Makes a function fast where the engine can: what it does is recorded for all sizes that `inputs` leaves open, and runs as
 * one graph. Variables are frozen to the values that they have now. Elsewhere the result calls the function.
 */
export type Compile = <F extends TensorFunction>(fn: F, options: CompileOptions) => Promise<Compiled<F>>;

/** Does not compile: the result calls the function. */
export const runEagerly: Compile = async <F extends TensorFunction>(fn: F) => {
  const run = async (...inputs: Parameters<F>) => fn(...inputs) as ReturnType<F>;
  return Object.assign(run, { isGraph: false, free: () => undefined, dispose: async () => undefined });
};

/** What one run of a function multiplies and passes over. */
export interface MacCounts {
  /** Multiply-accumulates of convolutions and matrix products, without biases. */
  readonly products: number;
  /** Elements that group normalisations normalise. */
  readonly norms: number;
  /** Elements that axial shifts move. */
  readonly shifts: number;
}
