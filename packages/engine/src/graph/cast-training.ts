import type { Program, ProgramKernel } from './program.ts';
import { inputOf } from './program-view.ts';
import { type Rule, rewrite } from './rewrite.ts';
import type { ValueId } from './trace.ts';

/**
 * Lets the products of a training step run in bfloat16, those of the backward pass among them, as PyTorch's autocast does: both
 * factors are rounded, sums inside a product are float32, and its result is bfloat16 before anything else happens to it. Weights,
 * gradients, moments and all that is no product stay float32; so do 3×3 convolutions.
 */
export function castTraining(program: Program): Program {
  const narrow = new Map<ValueId, ValueId>();
  const rule: Rule = (kernel, view) => {
    const factors = factorsOf(kernel);
    if (!factors || factors.some((id) => view.values[id]!.dtype !== 'float32')) return undefined;
    const casts: ProgramKernel[] = [];
    const [left, right] = factors.map((id) => {
      const known = narrow.get(id);
      if (known !== undefined) return known;
      const made = view.define(id, 'bfloat16');
      narrow.set(id, made);
      casts.push({ name: 'Cast', inputs: { x: id }, attrs: {}, outputs: [made] });
      return made;
    });
    const product = view.define(kernel.outputs[0]!, 'bfloat16');
    if (kernel.name === 'Linear') {
      const { x: _, weight: __, ...addends } = kernel.inputs;
      return [
        ...casts,
        { name: 'Product', inputs: { x: left!, weight: right! }, attrs: {}, outputs: [product] },
        { ...kernel, name: 'Epilogue', inputs: { x: product, ...addends } },
      ];
    }
    return [
      ...casts,
      { ...kernel, inputs: { a: left!, b: right! }, outputs: [product] },
      { name: 'Cast', inputs: { x: product }, attrs: {}, outputs: kernel.outputs },
    ];
  };
  return rewrite(program, rule);
}

/** What a product multiplies; undefined for everything else. */
function factorsOf(kernel: ProgramKernel): readonly [ValueId, ValueId] | undefined {
  if (kernel.name === 'Linear') return [inputOf(kernel, 'x')!, inputOf(kernel, 'weight')!];
  if (kernel.name === 'BatchMatMul') return [inputOf(kernel, 'a')!, inputOf(kernel, 'b')!];
  return undefined;
}
