import { createRng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';

/** How a gradient is checked. */
export interface GradCheckOptions {
  /**
   * Length of the steps along a direction whose elements have variance 1; for inputs of magnitude 1. Default 0.01.
   * Functions with kinks want inputs that are further from the kinks than 8 steps.
   */
  readonly step?: number;
  /** Number of random directions. Default 4. */
  readonly probes?: number;
  /** Seed of the directions. Default 0. */
  readonly seed?: number;
}

/** What was found along one direction. */
export interface GradProbe {
  /** ⟨gradient, direction⟩. */
  readonly analytic: number;
  /** The derivative along the direction, from differences. */
  readonly numeric: number;
}

/** The result of `gradCheck`. */
export interface GradCheckReport {
  /**
   * Largest |analytic − numeric| relative to the norm of the gradient (the typical size of both): about 1e-5 for a
   * right float32 gradient, of the order of 1 for a wrong one.
   */
  readonly error: number;
  readonly probes: readonly GradProbe[];
}

/**
 * Compare the gradient of `f` on the current backend with differences of its values.
 *
 * The output of `f` is weighted with random numbers into one scalar, so that every element counts. The derivative
 * along random directions is then taken from four values of `f` (fourth-order central differences, summed in
 * float64), which costs the same few calls for three numbers as for three million.
 *
 * @param f a function of float32 tensors; other arguments are closed over.
 * @param inputs what to differentiate with respect to, and where. Left to the caller to dispose.
 */
export async function gradCheck(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  { step = 0.01, probes = 4, seed = 0 }: GradCheckOptions = {},
): Promise<GradCheckReport> {
  const rng = createRng(seed);
  const output = tf.tidy(() => f(...inputs));
  const cotangent = rng.normal(output.size);
  output.dispose();
  const gradients = await gradientsOf(f, inputs, cotangent);
  const norm = Math.sqrt(gradients.reduce((sum, gradient) => sum + dot(gradient, gradient), 0));

  const origin = await Promise.all(inputs.map((input) => input.data()));
  const valueAt = async (directions: readonly Float32Array[], distance: number) => {
    const output = tf.tidy(() => {
      const moved = inputs.map(({ shape }, i) =>
        tf.tensor(
          directions[i]!.map((u, k) => origin[i]![k]! + distance * u),
          shape,
        ),
      );
      return f(...moved);
    });
    const value = dot((await output.data()) as Float32Array, cotangent);
    output.dispose();
    return value;
  };

  const found: GradProbe[] = [];
  for (let probe = 0; probe < probes; probe++) {
    const directions = inputs.map(({ size }) => rng.normal(size));
    const far = (await valueAt(directions, 2 * step)) - (await valueAt(directions, -2 * step));
    const near = (await valueAt(directions, step)) - (await valueAt(directions, -step));
    const analytic = gradients.reduce((sum, gradient, i) => sum + dot(gradient, directions[i]!), 0);
    found.push({ analytic, numeric: (8 * near - far) / (12 * step) });
  }
  const errors = found.map(({ analytic, numeric }) => {
    const scale = Math.max(norm, Math.abs(numeric), Number.MIN_VALUE);
    return Math.abs(analytic - numeric) / scale;
  });
  return { error: errors.reduce(larger, 0), probes: found };
}

async function gradientsOf(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  cotangent: Float32Array,
): Promise<Float32Array[]> {
  const gradients = tf.tidy(() => {
    const weighted = (...args: tf.Tensor[]) => {
      const output = f(...args);
      return tf.sum(tf.mul(output, tf.tensor(cotangent, output.shape)));
    };
    return tf.grads(weighted)([...inputs]);
  });
  const data = (await Promise.all(gradients.map((gradient) => gradient.data()))) as Float32Array[];
  tf.dispose(gradients);
  return data;
}

/** The larger of two numbers, NaN if either is. */
function larger(a: number, b: number): number {
  return a > b || Number.isNaN(a) ? a : b;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
