import * as tf from '@tensorflow/tfjs-core';
import { customGradient } from '../custom-gradient.ts';
import type { Mode } from '../mode.ts';
import { Module } from '../module.ts';
import { Parameter } from '../parameter.ts';

const EPSILON = 1e-5;
const ones = (shape: readonly number[]) => new Float32Array(shape[0]!).fill(1);
const zeros = (shape: readonly number[]) => new Float32Array(shape[0] ?? 1);

/**
 * Group normalisation with one group (Wu & He, 2018; PyTorch `GroupNorm(1, C)`, eps 1e-5): statistics over H·W·C of
 * each sample with the biased variance, gain and bias per channel. This is what AS-MLP calls its layer norm.
 */
export class GroupNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(channels: number) {
    super();
    this.weight = this.add('weight', new Parameter({ shape: [channels], layout: 'plain', init: ones }));
    this.bias = this.add('bias', new Parameter({ shape: [channels], layout: 'plain', init: zeros }));
  }

  /** `[B, H, W, C]` → `[B, H, W, C]`. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return groupNorm(x, this.weight.value, this.bias.value);
  }
}

/** `[B, H, W, C]` normalised over H·W·C of each sample, times `weight` plus `bias`, both `[C]`. */
export function groupNorm(x: tf.Tensor4D, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const samples = [batch, height * width * channels];
  const rows: [number, number, number] = [batch, height * width, channels];

  return customGradient<tf.Tensor4D>([x, weight, bias], {
    value: () => {
      const { centred, scale } = standardize(tf.reshape(x, samples));
      const slope = tf.expandDims(tf.mul(scale, tf.reshape(weight, [1, channels])), 1);
      return tf.reshape(tf.add(tf.mul(tf.reshape(centred, rows), slope), bias), x.shape);
    },
    saved: [x, weight],
    gradient: (dy, saved) =>
      tf.tidy(() => {
        const [input, gain] = saved as [tf.Tensor, tf.Tensor];
        const { centred, scale } = standardize(tf.reshape(input, samples));
        const normalized = tf.mul(centred, scale);
        const dRows = tf.reshape(dy, rows);
        const dNormalized = tf.reshape(tf.mul(dRows, gain), samples);
        const projection = tf.mean(tf.mul(dNormalized, normalized), 1, true);
        const dx = tf.mul(tf.sub(centre(dNormalized), tf.mul(normalized, projection)), scale);
        const dGain = tf.sum(tf.mul(dRows, tf.reshape(normalized, rows)), [0, 1]);
        return [tf.reshape(dx, x.shape), dGain, tf.sum(dRows, [0, 1])];
      }),
  });
}

/** Rows minus their mean, and what to multiply them by for unit variance, `[B, 1]`. */
function standardize(rows: tf.Tensor): { centred: tf.Tensor; scale: tf.Tensor } {
  const [batch, size] = rows.shape as [number, number];
  const centred = centre(rows);
  // The sum of squares as a product of each row with itself: no squared map is written.
  const row = tf.reshape(centred, [batch, 1, size]);
  const squares = tf.reshape(tf.matMul(row, row, false, true), [batch, 1]);
  return { centred, scale: tf.rsqrt(tf.add(tf.div(squares, size), EPSILON)) };
}

/** Each row minus its mean. */
function centre(rows: tf.Tensor): tf.Tensor {
  return tf.sub(rows, tf.mean(rows, 1, true));
}

/**
 * Batch normalisation over B·H·W (PyTorch `BatchNorm2d`, eps 1e-5, momentum 0.1). Training uses batch statistics and
 * updates the running ones (unbiased variance); inference uses the running ones, and so does a frozen norm in training.
 */
export class BatchNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly runningMean: Parameter;
  readonly runningVariance: Parameter;
  /** Batches that the running statistics have seen. */
  readonly batchesTracked: Parameter;
  readonly momentum: number;

  constructor(channels: number, momentum = 0.1) {
    super();
    const buffer = { shape: [channels], layout: 'plain', buffer: true } as const;
    this.momentum = momentum;
    this.weight = this.add('weight', new Parameter({ shape: [channels], layout: 'plain', init: ones }));
    this.bias = this.add('bias', new Parameter({ shape: [channels], layout: 'plain', init: zeros }));
    this.runningMean = this.add('running_mean', new Parameter({ ...buffer, init: zeros }));
    this.runningVariance = this.add('running_var', new Parameter({ ...buffer, init: ones }));
    this.batchesTracked = this.add(
      'num_batches_tracked',
      new Parameter({ shape: [], layout: 'plain', counter: true, init: zeros }),
    );
  }

  /** `[B, H, W, C]` → `[B, H, W, C]`. */
  forward(x: tf.Tensor4D, mode: Mode): tf.Tensor4D {
    const { weight, bias, runningMean, runningVariance } = this;
    if (!mode.training || !weight.trainable) {
      // One product and one sum with numbers that follow from the weights, which a compiled function computes once.
      return tf.tidy(() => {
        const slope = tf.mul(weight.value, tf.rsqrt(tf.add(runningVariance.value, EPSILON)));
        const offset = tf.sub(bias.value, tf.mul(runningMean.value, slope));
        return tf.add(tf.mul(x, slope), offset) as tf.Tensor4D;
      });
    }
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    this.track(mean, variance, x.size / x.shape[3]);
    const normalized = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, EPSILON)));
    return tf.add(tf.mul(normalized, weight.value), bias.value);
  }

  private track(mean: tf.Tensor, variance: tf.Tensor, count: number): void {
    tf.tidy(() => {
      // In two steps: a recorded step can follow a size, not a quotient of two.
      const unbiased = tf.div(tf.mul(variance, count), Math.max(1, count - 1));
      const blend = (running: tf.Variable, batch: tf.Tensor) =>
        running.assign(tf.add(tf.mul(running, 1 - this.momentum), tf.mul(batch, this.momentum)));
      blend(this.runningMean.value, mean);
      blend(this.runningVariance.value, unbiased);
      this.batchesTracked.value.assign(tf.add(this.batchesTracked.value, 1));
    });
  }
}
