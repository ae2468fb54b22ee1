import type { Program, ProgramKernel } from './program.ts';
import { inputOf, operands, type ProgramView } from './program-view.ts';
import { type Rule, rewrite } from './rewrite.ts';
import type { ValueId } from './trace.ts';

/**
 * Lets layers finish what follows them, so that a map is written once: a GELU after `Linear` or `GroupNorm` becomes their
 * attribute `activation`, then a tensor of the same shape that is added becomes the input `residual` of `Linear`. What is
 * multiplied and added for each channel after `Convolution` becomes its inputs `scale` and `bias`, and ReLU its activation.
 */
export function fuseEpilogues(program: Program): Program {
  return [fuseActivation, fuseResidual, fuseScale, fuseBias, fuseRelu].reduce(rewrite, program);
}

const fuseActivation: Rule = (kernel, view) => {
  if (kernel.name !== 'Gelu') return undefined;
  const layer = onlyFor(view, inputOf(kernel, 'x')!, 'Linear', 'GroupNorm');
  return layer && [{ ...layer, attrs: { ...layer.attrs, activation: 'gelu' }, outputs: kernel.outputs }];
};

const fuseResidual: Rule = (kernel, view) => {
  if (kernel.name !== 'Add') return undefined;
  for (const [value, residual] of operands(kernel)) {
    const layer = onlyFor(view, value, 'Linear');
    const isAlike = view.isSameShape(view.shape(residual), view.shape(value));
    if (layer && isAlike && !view.constant(residual)) {
      return [{ ...layer, inputs: { ...layer.inputs, residual }, outputs: kernel.outputs }];
    }
  }
  return undefined;
};

const fuseScale: Rule = (kernel, view) =>
  kernel.name === 'Multiply' ? channelwise(kernel, view, 'scale') : undefined;
const fuseBias: Rule = (kernel, view) =>
  kernel.name === 'Add' ? channelwise(kernel, view, 'bias') : undefined;

const fuseRelu: Rule = (kernel, view) => {
  if (kernel.name !== 'Relu') return undefined;
  const layer = onlyFor(view, inputOf(kernel, 'x')!, 'Convolution');
  return layer && [{ ...layer, attrs: { ...layer.attrs, activation: 'relu' }, outputs: kernel.outputs }];
};

/** A vector of channels that a kernel combines with a convolution. */
function channelwise(kernel: ProgramKernel, view: ProgramView, key: 'scale' | 'bias') {
  for (const [value, vector] of operands(kernel)) {
    const layer = onlyFor(view, value, 'Convolution');
    const isVector = view.isSameShape(view.shape(vector), view.shape(value).slice(-1));
    if (layer && isVector && !(key in layer.inputs)) {
      return [{ ...layer, inputs: { ...layer.inputs, [key]: vector }, outputs: kernel.outputs }];
    }
  }
  return undefined;
}

/** The layer that makes `id`, if nothing else needs that. */
function onlyFor(view: ProgramView, id: ValueId, ...names: readonly string[]): ProgramKernel | undefined {
  return view.isUsedOnce(id) ? view.producer(id, ...names) : undefined;
}
