import { AsMlpError } from '@as-mlp/base';
import type { Compiled, InputSpec, TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { GraphTensor } from '../graph-def.ts';

/** A tensor outside of TensorFlow.js, of a type that it has too. */
export type PlainTensor = Extract<GraphTensor, { readonly dtype: 'float32' | 'int32' | 'bool' }>;

/** Takes a tensor out of TensorFlow.js. */
export async function readTensor(tensor: tf.Tensor): Promise<PlainTensor> {
  return { dtype: tensor.dtype, shape: tensor.shape, data: await tensor.data() } as PlainTensor;
}

/** Brings a tensor into TensorFlow.js, on the current backend. */
export function toTensor({ data, shape, dtype }: PlainTensor): tf.Tensor {
  return tf.tensor(data, [...shape], dtype);
}

/** A graph that takes and gives plain tensors. */
export interface PlainGraph {
  run(inputs: readonly PlainTensor[]): Promise<readonly PlainTensor[]>;
  /** Frees the memory of a result's values. */
  free(values: PlainTensor['data']): void;
  dispose(): Promise<void>;
}

/** A function of TensorFlow.js's tensors around a graph. */
export function graphFunction<F extends TensorFunction>(
  specs: readonly InputSpec[],
  { run, free, dispose }: PlainGraph,
): Compiled<F> {
  const call = async (...inputs: Parameters<F>) => {
    checkInputs(inputs, specs);
    const outputs = (await run(await Promise.all(inputs.map(readTensor)))).map(toTensor);
    return (outputs.length === 1 ? outputs[0] : outputs) as ReturnType<F>;
  };
  return Object.assign(call, {
    isGraph: true,
    free: (...all: readonly PlainTensor['data'][]) => {
      for (const values of all) free(values);
    },
    dispose,
  });
}

function checkInputs(inputs: readonly tf.Tensor[], specs: readonly InputSpec[]): void {
  for (const [i, { shape, dtype = 'float32' }] of specs.entries()) {
    const given = inputs[i];
    const fits =
      given?.dtype === dtype &&
      given.rank === shape.length &&
      shape.every((size, axis) => typeof size === 'string' || size === given.shape[axis]);
    if (fits) continue;
    throw new AsMlpError('input', {
      where: `argument ${i + 1} of a compiled function`,
      what: `${given ? `${given.dtype} [${given.shape}]` : 'nothing'} was given`,
      fix: `Give ${dtype} [${shape.join(', ')}]`,
    });
  }
}
