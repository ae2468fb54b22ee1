import { inputOf, operands, type ProgramView } from './program-view.ts';
import type { Rule } from './rewrite.ts';
import type { ValueId } from './trace.ts';

/** h + h·erf(x·√½) with h = x·½. */
export const recogniseGelu: Rule = (kernel, view) => {
  if (kernel.name !== 'Add') return undefined;
  for (const [half, product] of operands(kernel)) {
    const x = scaled(view, half, 0.5);
    const factors = operands(view.producer(product, 'Multiply')).find(([factor]) => factor === half);
    const argument = inputOf(view.producer(factors?.[1], 'Erf'), 'x');
    if (x !== undefined && scaled(view, argument, Math.SQRT1_2) === x) {
      return [{ name: 'Gelu', inputs: { x }, attrs: {}, outputs: kernel.outputs }];
    }
  }
  return undefined;
};

/** The x of x·factor. */
export function scaled(view: ProgramView, id: ValueId | undefined, factor: number): ValueId | undefined {
  const isFactor = (one: ValueId) => view.scalar(one) === Math.fround(factor);
  return operands(view.producer(id, 'Multiply')).find(([, other]) => isFactor(other))?.[0];
}
