import * as tf from '@tensorflow/tfjs-core';
import { type RawOps, rawOps } from './raw-ops.ts';

/** Everything that one update depends on beside the tensors. */
export interface AdamStep {
  readonly learningRate: number;
  /** Weight decay, as the factor that the values are multiplied by first: 1 − lr·λ. */
  readonly decay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 1 for the first update. */
  readonly count: number;
}

/** First and second moments of one tensor of parameters. */
export interface Moments {
  /** Take in a gradient and return the new values of `values`. All three have one shape. */
  update(values: tf.Tensor, gradient: tf.Tensor, step: AdamStep): tf.Tensor;
  /** Flat copies of the first and the second moment. */
  read(): Promise<[first: Float32Array, second: Float32Array]>;
  /** Replace both moments. */
  write(first: Float32Array, second: Float32Array): void;
  dispose(): void;
}

/** Moments on the current backend, starting at zero. */
export function createMoments(shape: readonly number[]): Moments {
  const raw = rawOps();
  return raw ? nativeMoments(shape, raw) : portableMoments(shape);
}

/**
 * Learning rate and ε of one AdamW update with the bias correction in them. The update is
 * θ − lr/(1 − β1ᵗ) · m / (√v/√(1 − β2ᵗ) + ε). With both factors pulled together it is θ − lr' · m / (√v + ε'), which saves a pass over the tensor and is what TensorFlow's op computes.
 */
export function correctAdam({ learningRate, beta1, beta2, epsilon, count }: Omit<AdamStep, 'decay'>): {
  rate: number;
  epsilon: number;
} {
  const root = Math.sqrt(1 - beta2 ** count);
  return { rate: (learningRate * root) / (1 - beta1 ** count), epsilon: epsilon * root };
}

/** In place, through TensorFlow's `ResourceApplyAdam`. */
function nativeMoments(shape: readonly number[], raw: RawOps): Moments {
  const [variable, first, second] = [0, 1, 2].map(() => tf.keep(raw.createVariable(shape))) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const write = (handle: tf.Tensor, value: tf.Tensor) => {
    raw.assignVariable(handle, value);
    value.dispose();
  };
  write(first, tf.zeros([...shape]));
  write(second, tf.zeros([...shape]));
  return {
    update: (values, gradient, step) => {
      // The op forms 1 − β in float32, so β itself is the float32 number and must be so in the correction.
      const beta1 = Math.fround(step.beta1);
      const beta2 = Math.fround(step.beta2);
      const { rate, epsilon } = correctAdam({ ...step, beta1, beta2 });
      return tf.tidy(() => {
        // Powers of 0 switch off the op's own correction, which it would compute in float32.
        const [off, lr, b1, b2, eps] = [0, rate, beta1, beta2, epsilon].map((value) => tf.scalar(value));
        const decayed = decay(values, step);
        raw.assignVariable(variable, decayed);
        // With its last other holder gone the variable changes in place instead of copying itself first.
        if (decayed !== values) decayed.dispose();
        raw.applyAdam([variable, first, second, off!, off!, lr!, b1!, b2!, eps!, gradient]);
        return raw.readVariable(variable);
      });
    },
    read: async () => [await download(raw.readVariable(first)), await download(raw.readVariable(second))],
    write: (m, v) => {
      write(first, tf.tensor(m, [...shape]));
      write(second, tf.tensor(v, [...shape]));
    },
    dispose: () => tf.dispose([variable, first, second]),
  };
}

/** Out of ops that every backend has. */
export function portableMoments(shape: readonly number[]): Moments {
  let first = tf.keep(tf.zeros([...shape]));
  let second = tf.keep(tf.zeros([...shape]));
  const replace = (m: tf.Tensor, v: tf.Tensor) => {
    tf.dispose([first, second]);
    first = tf.keep(m);
    second = tf.keep(v);
  };
  return {
    update: (values, gradient, step) =>
      tf.tidy(() => {
        const { rate, epsilon } = correctAdam(step);
        const m = tf.add(tf.mul(first, step.beta1), tf.mul(gradient, 1 - step.beta1));
        const v = tf.add(tf.mul(second, step.beta2), tf.mul(tf.square(gradient), 1 - step.beta2));
        replace(m, v);
        return tf.sub(decay(values, step), tf.mul(tf.div(m, tf.add(tf.sqrt(v), epsilon)), rate));
      }),
    read: async () => [
      (await first.data()).slice() as Float32Array,
      (await second.data()).slice() as Float32Array,
    ],
    write: (m, v) => replace(tf.tensor(m, [...shape]), tf.tensor(v, [...shape])),
    dispose: () => tf.dispose([first, second]),
  };
}

function decay(values: tf.Tensor, step: AdamStep): tf.Tensor {
  return step.decay === 1 ? values : tf.mul(values, step.decay);
}

async function download(tensor: tf.Tensor): Promise<Float32Array> {
  const data = (await tensor.data()).slice() as Float32Array;
  tensor.dispose();
  return data;
}
