import type { Program, ProgramKernel } from './program.ts';
import { inputOf } from './program-view.ts';
import { type Rule, rewrite } from './rewrite.ts';
import type { ValueId } from './trace.ts';

/**
 * Lets the products of a network run in bfloat16, sums in float32: each `Linear` becomes a `Product` { x, weight } of
 * bfloat16 and an `Epilogue` { x, bias?, residual? } that finishes it in float32. Maps are bfloat16 where only products,
 * norms and shifts read them, and written so by what makes them; all others, residual sums among them, stay float32. So
 * do the products at the ends: the first, of pixels, and the last, of what is an answer.
 */
export function castProducts(program: Program): Program {
  const products = innerProducts(program);
  const narrow = narrowValues(program, products);
  const rule: Rule = (kernel, view) => {
    const casts: ProgramKernel[] = [];
    const asNarrow = (id: ValueId): ValueId => {
      if (narrow.has(id)) return id;
      const cast = view.define(id, 'bfloat16');
      casts.push({ name: 'Cast', inputs: { x: id }, attrs: {}, outputs: [cast] });
      return cast;
    };
    if (products.has(kernel)) {
      const { x, weight, ...addends } = kernel.inputs as Record<string, ValueId>;
      const product = view.define(kernel.outputs[0]!, 'bfloat16');
      const inputs = { x: asNarrow(x!), weight: asNarrow(weight!) };
      return [
        ...casts,
        { name: 'Product', inputs, attrs: {}, outputs: [product] },
        { ...kernel, name: 'Epilogue', inputs: { x: product, ...addends } },
      ];
    }
    // A shift only moves what it is given.
    if (kernel.name !== 'AxialShift' || !narrow.has(kernel.outputs[0]!)) return undefined;
    const x = asNarrow(inputOf(kernel, 'x')!);
    return [...casts, { ...kernel, inputs: { x } }];
  };
  const values = program.values.map((value, id) =>
    narrow.has(id) ? { ...value, dtype: 'bfloat16' as const } : value,
  );
  return rewrite({ ...program, values }, rule);
}

const isLinear = ({ name }: ProgramKernel) => name === 'Linear';
const valuesOf = (kernel: ProgramKernel): readonly ValueId[] => Object.values(kernel.inputs).flat();

/** The products with another before them and another after them; one that adds a residual answers nothing by itself. */
function innerProducts({ kernels }: Program): Set<ProgramKernel> {
  const made = new Set<ValueId>();
  const isLater = (kernel: ProgramKernel) => valuesOf(kernel).some((id) => made.has(id));
  const later = kernels.filter((kernel) => {
    const found = isLater(kernel);
    if (found || isLinear(kernel)) for (const id of kernel.outputs) made.add(id);
    return found && isLinear(kernel);
  });
  const needed = new Set<ValueId>();
  const earlier = new Set(
    [...kernels].reverse().filter((kernel) => {
      const found = kernel.outputs.some((id) => needed.has(id));
      if (found || isLinear(kernel)) for (const id of valuesOf(kernel)) needed.add(id);
      return found;
    }),
  );
  return new Set(later.filter((kernel) => earlier.has(kernel) || 'residual' in kernel.inputs));
}

/** What is made by a product, a norm or a shift and read, as their `x`, by such alone. */
function narrowValues(program: Program, products: ReadonlySet<ProgramKernel>): Set<ValueId> {
  const wide = new Set<ValueId>(program.outputs);
  const narrow = new Set<ValueId>();
  for (const kernel of [...program.kernels].reverse()) {
    const [output] = kernel.outputs;
    const writes = products.has(kernel) || kernel.name === 'GroupNorm' || kernel.name === 'AxialShift';
    if (writes && !wide.has(output!)) narrow.add(output!);
    const reads =
      products.has(kernel) ||
      kernel.name === 'GroupNorm' ||
      (kernel.name === 'AxialShift' && narrow.has(output!));
    for (const [key, ids] of Object.entries(kernel.inputs)) {
      if (!reads || key !== 'x') for (const id of [ids].flat()) wide.add(id);
    }
  }
  return narrow;
}
