import { type Dim, sameDim } from '../graph/dims.ts';
import { joinReshapes } from '../graph/fuse.ts';
import type { Program, ProgramKernel } from '../graph/program.ts';
import { inputOf, operands, type ProgramView, rewrite } from '../graph/rewrite.ts';
import type { ValueId } from '../graph/trace.ts';

/**
 * Linear layers over maps without the reshapes around them: `[…, in] · [in, out] (+ [out])`, of a map as it is. ONNX
 * multiplies so, tfjs-core does not. Fewer sizes are left to compute, and the bias stands beside what follows.
 */
export function keepMaps(program: Program): Program {
  return joinReshapes(rewrite(program, keepMap));
}

function keepMap(kernel: ProgramKernel, view: ProgramView): ProgramKernel[] | undefined {
  if (kernel.name !== 'Reshape') return undefined;
  const result = inputOf(kernel, 'x')!;
  const shape = view.shape(kernel.outputs[0]!);
  const direct = matchProduct(view, result, shape);
  if (direct) return [{ ...direct, outputs: kernel.outputs }];
  for (const [product, bias] of operands(view.made('Add', result))) {
    const inner = matchProduct(view, product, shape);
    if (!inner || !view.isConstant(bias) || view.shape(bias).length !== 1) continue;
    const map = view.define(product, shape);
    return [
      { ...inner, outputs: [map] },
      { name: 'Add', inputs: { a: map, b: bias }, attrs: {}, outputs: kernel.outputs },
    ];
  }
  return undefined;
}

/** The product that gives `id`, of the map that its rows were, if it fits a map of this shape. */
function matchProduct(view: ProgramView, id: ValueId, shape: readonly Dim[]): ProgramKernel | undefined {
  const product = view.made('BatchMatMul', id);
  const map = inputOf(view.made('Reshape', inputOf(product, 'a')), 'x');
  if (!product || map === undefined || product.attrs.transposeA) return undefined;
  const [rows, weight] = [inputOf(product, 'a')!, inputOf(product, 'b')!];
  const from = view.shape(map);
  const fits =
    view.shape(weight).length === 2 &&
    from.length === shape.length &&
    sameDim(from.at(-1)!, view.shape(rows).at(-1)!) &&
    sameDim(shape.at(-1)!, view.shape(id).at(-1)!) &&
    from.slice(0, -1).every((dim, axis) => sameDim(dim, shape[axis]!));
  return fits ? { ...product, inputs: { a: map, b: weight } } : undefined;
}
