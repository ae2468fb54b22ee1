import * as tf from '@tensorflow/tfjs-core';

/** Rows, inner size and columns of the products that are tried: those of the network's largest layers, and square ones. */
export const GEMM_SHAPES: readonly (readonly [number, number, number])[] = [
  [3136, 96, 384],
  [784, 768, 192],
  [25_088, 96, 384],
  [1024, 1024, 1024],
  [2048, 2048, 2048],
];

const REPEATS = 3;

/** The best of a few products of two matrices, in floating-point operations (two for each multiply-accumulate) a second. */
export async function multiply([rows, inner, columns]: readonly [number, number, number]): Promise<number> {
  const a = tf.randomUniform([rows, inner]) as tf.Tensor2D;
  const b = tf.randomUniform([inner, columns]) as tf.Tensor2D;
  let best = Number.POSITIVE_INFINITY;
  // The first one warms up.
  for (let i = 0; i <= REPEATS; i++) {
    const start = performance.now();
    tf.matMul(a, b).dispose();
    if (i > 0) best = Math.min(best, performance.now() - start);
  }
  tf.dispose([a, b]);
  return (2 * rows * inner * columns * 1000) / best;
}
