import type { Program } from './program.ts';
import { recogniseAxialShift } from './recognise-axial-shift.ts';
import { recogniseConvolution } from './recognise-convolution.ts';
import { recogniseGelu } from './recognise-gelu.ts';
import { recogniseGeluGradient, recogniseGroupNormGradient } from './recognise-gradients.ts';
import { recogniseGroupNorm } from './recognise-group-norm.ts';
import { recogniseLinear } from './recognise-linear.ts';
import { rewrite } from './rewrite.ts';

/** A rule for each program. */
const RULES = {
  Gelu: () => recogniseGelu,
  GeluGradient: () => recogniseGeluGradient,
  GroupNorm: () => recogniseGroupNorm,
  GroupNormGradient: recogniseGroupNormGradient,
  AxialShift: () => recogniseAxialShift,
  Linear: () => recogniseLinear,
  Convolution: () => recogniseConvolution,
} as const;

/** A kernel that is a layer. */
export type LayerKernel = keyof typeof RULES;

/**
 * Puts one kernel in the place of those that compute a layer together, for back ends that have the layer as a whole. They
 * are recognised by what they compute, wherever it comes from; a value that is used elsewhere stays.
 *
 * - `Gelu` { x }: `x/2·(1 + erf(x/√2))`; `GeluGradient` { x, dy } gives dx;
 * - `GroupNorm` { x, weight, bias }, attribute `epsilon`: `[B, …, C]` normalised over all but B, times `weight` plus
 *   `bias`, both `[C]`; `GroupNormGradient` { x, weight, dy } gives the gradients of x, weight and bias;
 * - `AxialShift` { x }, attributes `axis`, `ends` and `displacements`: neighbouring channels of `[B, H, W, C]` up to each
 *   end move by its displacement, and zeros come in;
 * - `Linear` { x, weight, bias? }: `[…, in] · [in, out] + [out]`;
 * - `Convolution` { x, weight }: 3×3, stride 1, zeros around; the weight as a matrix `[9 · in, out]`. The gradient of x is one
 *   too, whose weight `TurnedFilter` { filter } makes: `[3, 3, in, out]` turned around → `[9 · out, in]`.
 *
 * @param layers those that the back end has, all unless given.
 */
export function recogniseLayers(
  program: Program,
  layers: readonly LayerKernel[] = Object.keys(RULES) as LayerKernel[],
): Program {
  return layers.map((layer) => RULES[layer]()).reduce(rewrite, program);
}
