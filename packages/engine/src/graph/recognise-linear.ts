import type { ProgramKernel } from './program.ts';
import { inputOf, operands, type ProgramView } from './program-view.ts';
import type { Rule } from './rewrite.ts';
import type { ValueId } from './trace.ts';

/**
 * A product with a constant matrix on the right, with the bias that follows. tfjs-core multiplies rows: reshapes around
 * them that make rows of a map, and a map of them again, are left out.
 */
export const recogniseLinear: Rule = (kernel, view) => {
  const found = kernel.name === 'Reshape' ? matchMap(view, kernel) : matchRows(view, kernel);
  return found && [{ name: 'Linear', inputs: { ...found }, attrs: {}, outputs: kernel.outputs }];
};

interface Linear {
  readonly x: ValueId;
  readonly weight: ValueId;
  readonly bias?: ValueId;
}

function matchMap(view: ProgramView, reshape: ProgramKernel): Linear | undefined {
  const result = inputOf(reshape, 'x')!;
  const producer = view.producer(result, 'Add', 'BatchMatMul');
  const rows = producer && view.isUsedOnce(result) ? matchRows(view, producer) : undefined;
  const map = inputOf(view.producer(rows?.x, 'Reshape'), 'x');
  if (!rows || map === undefined) return undefined;
  const lead = view.shape(map).slice(0, -1);
  const isAlike = (id: ValueId, ofRows: ValueId) =>
    view.isSameShape(view.shape(id), [...lead, view.shape(ofRows)[1]!]);
  return isAlike(map, rows.x) && isAlike(reshape.outputs[0]!, result) ? { ...rows, x: map } : undefined;
}

function matchRows(view: ProgramView, kernel: ProgramKernel): Linear | undefined {
  if (kernel.name === 'BatchMatMul') return matchProduct(view, kernel);
  if (kernel.name !== 'Add') return undefined;
  for (const [sum, bias] of operands(kernel)) {
    const producer = view.producer(sum, 'BatchMatMul');
    const product = producer && view.isUsedOnce(sum) ? matchProduct(view, producer) : undefined;
    const isBias = view.constant(bias) && view.isSameShape(view.shape(bias), view.shape(sum).slice(1));
    if (product && isBias) return { ...product, bias };
  }
  return undefined;
}

function matchProduct(view: ProgramView, product: ProgramKernel): Linear | undefined {
  const [x, matrix] = [inputOf(product, 'a')!, inputOf(product, 'b')!];
  const isPlain =
    !product.attrs.transposeA && !product.attrs.transposeB && view.values[x]!.dtype === 'float32';
  if (!isPlain || view.shape(x).length !== 2 || view.shape(matrix).length !== 2) return undefined;
  const weight = view.asConstant(matrix);
  return weight === undefined ? undefined : { x, weight };
}
