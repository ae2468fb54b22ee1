import type * as tf from '@tensorflow/tfjs-core';
import type { Program } from '../graph/program.ts';
import { inputOf } from '../graph/program-view.ts';
import { type Rule, rewrite } from '../graph/rewrite.ts';

/**
 * Multiplies the gain and bias of a norm into the linear layer that follows it:
 * `(x̂·γ + β)·W + b = x̂·(γ·W) + (β·W + b)`. Two passes over a map less, for weights that no longer change. Such a norm
 * is left without `weight` and `bias`.
 */
export function foldGains(program: Program): Program {
  return rewrite(program, foldGain);
}

const foldGain: Rule = (kernel, view) => {
  if (kernel.name !== 'Linear') return undefined;
  const x = inputOf(kernel, 'x')!;
  const norm = view.producer(x, 'GroupNorm');
  const gain = view.elements(inputOf(norm, 'weight'));
  const offset = view.elements(inputOf(norm, 'bias'));
  const weights = view.elements(inputOf(kernel, 'weight'));
  if (!norm || !gain || !offset || !weights || !view.isUsedOnce(x)) return undefined;
  const width = weights.length / gain.length;
  const bias = 'bias' in kernel.inputs ? view.elements(inputOf(kernel, 'bias')) : new Float32Array(width);
  if (!bias) return undefined;
  const normalized = view.define(x);
  const scaled = weights.map((weight, i) => weight * gain[Math.floor(i / width)]!) as Float32Array;
  const inputs = {
    x: normalized,
    weight: view.addConstant(scaled, [gain.length, width]),
    bias: view.addConstant(rowTimesMatrix(offset, weights, bias), [width]),
  };
  return [
    { ...norm, inputs: { x: norm.inputs.x! }, outputs: [normalized] },
    { ...kernel, inputs },
  ];
};

/** row · matrix + bias */
function rowTimesMatrix(row: tf.TypedArray, matrix: tf.TypedArray, bias: tf.TypedArray): Float32Array {
  // Sums in double precision.
  const sums = Float64Array.from(bias);
  const width = bias.length;
  for (const [i, factor] of row.entries()) {
    for (let j = 0; j < width; j++) sums[j]! += factor * matrix[i * width + j]!;
  }
  return Float32Array.from(sums);
}
