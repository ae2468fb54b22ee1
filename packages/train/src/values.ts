import type { Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';

/** Values that variables had. */
export interface KeptValues {
  /** Gives them back. */
  restore(): void;
  /** Frees them; call it in any case. */
  dispose(): void;
}

/** Remembers the values of variables; costs no memory until they change. */
export function keepValues(variables: readonly tf.Variable[]): KeptValues {
  const values = variables.map((variable) => tf.keep(tf.clone(variable)));
  return {
    restore: () => {
      for (const [i, variable] of variables.entries()) variable.assign(values[i]!);
    },
    dispose: () => tf.dispose(values),
  };
}

/** Remembers the buffers of a model: running statistics move in every forward pass of training. */
export function keepBuffers(model: Module): KeptValues {
  return keepValues([...model.namedTensors()].flatMap(([, one]) => (one.isBuffer ? [one.value] : [])));
}
