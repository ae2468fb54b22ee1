import type { HostTensor, StepBatch } from '@as-mlp/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { LossTerms, Task } from './task.ts';

/** The loss of one batch, every operation by itself. To be called in `tf.tidy`. */
export function eagerLoss(
  { loss, host, inputs }: Pick<Task<unknown>, 'loss' | 'host' | 'inputs'>,
  { tensors, rng }: StepBatch,
  training: boolean,
): LossTerms {
  const answer = host?.begin(tensors, rng);
  const ask = answer && ((values: readonly tf.Tensor[]) => answer(values.map(toHost)).map(toTensor));
  return loss(tensors.slice(0, inputs?.length).map(toTensor), { training, rng, ask });
}

function toHost(tensor: tf.Tensor): HostTensor {
  return { shape: tensor.shape, data: tensor.dataSync() as HostTensor['data'] };
}

function toTensor({ shape, data }: HostTensor): tf.Tensor {
  return tf.tensor(data, [...shape], data instanceof Int32Array ? 'int32' : 'float32');
}
