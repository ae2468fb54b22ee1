import type { TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { mergeTraces, type Program } from '../graph/program.ts';
import { trace } from '../graph/trace.ts';
import { encodeOnnx } from './encode.ts';
import { type OnnxSessionTensor, openOnnxSession } from './session.ts';

/** An input of a call: its shape, and its type if it is not float32. */
export interface Argument {
  readonly shape: readonly number[];
  readonly dtype?: 'int32' | 'bool';
}

/** `[2, 5, 3]` → one float32 input of that shape. */
export function float32(...shape: readonly number[]): readonly Argument[] {
  return [{ shape }];
}

/** Values between -2 and 2; integers 0 … 3. The same for the same seed. */
export function tensorFor({ shape, dtype }: Argument, seed: number): tf.Tensor {
  const uniform = tf.randomUniform([...shape], dtype ? 0 : -2, dtype ? 4 : 2, 'float32', seed);
  return dtype ? tf.cast(dtype === 'bool' ? tf.greater(uniform, 2) : tf.floor(uniform), dtype) : uniform;
}

/** The program of `fn`, from calls with inputs of these shapes. */
export function programOf(fn: TensorFunction, calls: readonly (readonly Argument[])[]): Program {
  return tf.tidy(() => {
    const inputs = calls.map((call) => call.map((one, i) => tensorFor(one, i)));
    // Parameters get their first values when they are first used.
    fn(...inputs[0]!);
    return mergeTraces(inputs.map((call) => trace((args) => fn(...args), call))) as unknown as tf.Tensor;
  }) as unknown as Program;
}

/** How {@link expectSame} compares. */
export interface Comparison {
  /** Calls that the program is made from. */
  readonly traced: readonly (readonly Argument[])[];
  /** Further calls, with inputs of other sizes. */
  readonly others?: readonly (readonly Argument[])[];
  /** Largest difference from a value below 1, and relative to a larger one; 1e-5 unless given: sums in another order. */
  readonly tolerance?: number;
}

/** Expects that ONNX Runtime gives for `fn` what the current backend gives, for all these calls. */
export async function expectSame(fn: TensorFunction, comparison: Comparison): Promise<void> {
  const { traced, others = [], tolerance = 1e-5 } = comparison;
  const program = programOf(fn, traced);
  const names = program.outputs.map((_, i) => `y${i}`);
  const inputs = program.inputs.map((_, i) => ({ name: `x${i}` }));
  const session = await openOnnxSession(encodeOnnx(program, { inputs, outputs: names }), { threads: 1 });
  try {
    for (const [seed, call] of [...traced, ...others].entries()) {
      const tensors = call.map((one, i) => tensorFor(one, 100 * seed + i));
      const wanted = [tf.tidy(() => fn(...tensors) as tf.Tensor)].flat();
      const given = await session.run(
        Object.fromEntries(tensors.map((tensor, i) => [`x${i}`, sessionTensor(tensor)])),
      );
      for (const [i, tensor] of wanted.entries()) expectClose(given[names[i]!]!, tensor, tolerance);
      tf.dispose([tensors, wanted]);
    }
  } finally {
    await session.dispose();
  }
}

/** A tensor as a session takes it. */
export function sessionTensor(tensor: tf.Tensor): OnnxSessionTensor {
  return { dtype: tensor.dtype, shape: tensor.shape, data: tensor.dataSync() } as OnnxSessionTensor;
}

/** Expects the shape, the type and the elements of a tensor. */
export function expectClose(given: OnnxSessionTensor, wanted: tf.Tensor, tolerance: number): void {
  expect({ shape: given.shape, dtype: given.dtype }).toEqual({ shape: wanted.shape, dtype: wanted.dtype });
  const elements = wanted.dataSync();
  let worst = 0;
  for (const [i, value] of elements.entries()) {
    const difference = Math.abs(value - given.data[i]!) / Math.max(1, Math.abs(value));
    worst = Math.max(worst, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}
