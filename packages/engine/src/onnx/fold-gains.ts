import type * as tf from '@tensorflow/tfjs-core';
import type { Program, ProgramKernel } from '../graph/program.ts';
import { inputOf, operands, type ProgramView, rewrite } from '../graph/rewrite.ts';
import type { ValueId } from '../graph/trace.ts';

/**
 * Multiplies the gain and bias of a norm into the linear layer that follows it:
 * `(x̂·γ + β)·W + b = x̂·(γ·W) + (β·W + b)`. Two passes over a map less, for weights that no longer change. Such a norm
 * is left without `weight` and `bias`.
 */
export function foldGains(program: Program): Program {
  return joinBiases(rewrite(program, foldGain));
}

function foldGain(kernel: ProgramKernel, view: ProgramView): ProgramKernel[] | undefined {
  if (kernel.name !== 'BatchMatMul' || kernel.attrs.transposeA || kernel.attrs.transposeB) return undefined;
  const [map, matrix] = [inputOf(kernel, 'a')!, inputOf(kernel, 'b')!];
  const norm = view.made('GroupNorm', map);
  const [gain, bias] = [inputOf(norm, 'weight'), inputOf(norm, 'bias')].map((id) =>
    id === undefined ? undefined : view.elements(id),
  );
  const weights = view.elements(matrix);
  if (!norm || !gain || !bias || !weights || view.shape(matrix).length !== 2 || !view.isUsedOnce(map))
    return undefined;
  const width = weights.length / gain.length;
  const normalized = view.define(map, view.shape(map));
  const product = view.define(kernel.outputs[0]!, view.shape(kernel.outputs[0]!));
  const scaled = view.constant(
    weights.map((weight, i) => weight * gain[Math.floor(i / width)]!) as Float32Array,
    [gain.length, width],
  );
  const offset = view.constant(rowTimesMatrix(bias, weights, width), [width]);
  return [
    { ...norm, inputs: { x: norm.inputs.x! }, outputs: [normalized] },
    { ...kernel, inputs: { a: normalized, b: scaled }, outputs: [product] },
    { name: 'Add', inputs: { a: product, b: offset }, attrs: {}, outputs: kernel.outputs },
  ];
}

function rowTimesMatrix(row: tf.TypedArray, matrix: tf.TypedArray, width: number): Float32Array {
  // Sums in double precision.
  const sums = new Float64Array(width);
  for (const [i, factor] of row.entries()) {
    for (let j = 0; j < width; j++) sums[j]! += factor * matrix[i * width + j]!;
  }
  return Float32Array.from(sums);
}

/** (x + b) + c = x + (b + c) */
function joinBiases(program: Program): Program {
  return rewrite(program, (kernel, view) => {
    for (const [sum, last] of operands(kernel.name === 'Add' ? kernel : undefined)) {
      for (const [x, first] of operands(view.made('Add', sum))) {
        const [b, c] = [biasOf(view, first), biasOf(view, last)];
        if (!b || !c || b.length !== c.length || !view.isUsedOnce(sum)) continue;
        const both = view.constant(
          Float32Array.from(b, (value, i) => value + c[i]!),
          [b.length],
        );
        return [{ ...kernel, inputs: { a: x, b: both } }];
      }
    }
    return undefined;
  });
}

function biasOf(view: ProgramView, id: ValueId): tf.TypedArray | undefined {
  return view.isConstant(id) && view.shape(id).length === 1 ? view.elements(id) : undefined;
}
