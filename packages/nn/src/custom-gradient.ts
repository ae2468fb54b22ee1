import * as tf from '@tensorflow/tfjs-core';

/** A function of tensors whose gradient is given instead of recorded. */
export interface CustomGradient<Y extends tf.Tensor> {
  /** The function itself; its intermediates are freed at once. Tensors that it closes over are constants. */
  readonly value: () => Y;
  /** Tensors that `gradient` needs; kept until the backward pass is over. */
  readonly saved: readonly tf.Tensor[];
  /** dL/dx for each input, in order, from dL/dy and the saved tensors. */
  readonly gradient: (dy: Y, saved: readonly tf.Tensor[]) => tf.Tensor[];
}

/** `value()`, differentiated with respect to `inputs` by `gradient`. */
export function customGradient<Y extends tf.Tensor>(
  inputs: readonly tf.Tensor[],
  { value, saved, gradient }: CustomGradient<Y>,
): Y {
  const run = tf.customGrad((...args) => {
    const save = args[inputs.length] as tf.GradSaveFunc;
    save([...saved]);
    return {
      value: value(),
      gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => gradient(dy as Y, kept),
    };
  });
  return run(...inputs) as Y;
}
