/** Which parameters are spared from weight decay. */
export type DecayRule = 'classification' | 'dense';

const SPARED: Record<DecayRule, (name: string, shape: readonly number[]) => boolean> = {
  classification: (name, shape) => shape.length === 1 || name.endsWith('.bias'),
  dense: (name) => name.includes('norm'),
};

/**
 * Split named parameters into those with and without weight decay, each in the given order. The two rules are those
 * of the official recipes: `classification` spares one-dimensional tensors and names that end in `.bias`; `dense`
 * (detection and segmentation) spares names that contain `norm`, so that biases and batch norms (`bn`) decay.
 */
export function splitDecay<T extends { readonly shape: readonly number[] }>(
  parameters: Iterable<readonly [name: string, parameter: T]>,
  rule: DecayRule,
): { decay: [name: string, parameter: T][]; noDecay: [name: string, parameter: T][] } {
  const decay: [string, T][] = [];
  const noDecay: [string, T][] = [];
  for (const [name, parameter] of parameters) {
    (SPARED[rule](name, parameter.shape) ? noDecay : decay).push([name, parameter]);
  }
  return { decay, noDecay };
}
