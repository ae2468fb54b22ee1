import type { ProgramKernel } from './program.ts';
import { inputOf, operands, type ProgramView } from './program-view.ts';
import type { Rule } from './rewrite.ts';
import type { ValueId } from './trace.ts';

/** `(x − mean)·(1/√(variance + ε)·weight) + bias`, computed on samples as rows, with x in the shape that it had before. */
export const recogniseGroupNorm: Rule = (kernel, view) => {
  const add = kernel.name === 'Reshape' ? view.producer(inputOf(kernel, 'x'), 'Add') : kernel;
  const norm = add?.name === 'Add' ? matchNorm(view, add) : undefined;
  if (!norm) return undefined;
  const { flat, weight, bias, epsilon } = norm;
  const result = view.shape(kernel.outputs[0]!);
  const [samples] = view.shape(flat);
  const [channels] = view.shape(bias);
  const keepsSamples =
    result.length > 1 && view.isSame(result[0]!, samples!) && view.isSame(result.at(-1)!, channels!);
  const x = unshaped(view, flat).find((id) => view.isSameShape(view.shape(id), result));
  if (x === undefined || !keepsSamples) return undefined;
  return [{ name: 'GroupNorm', inputs: { x, weight, bias }, attrs: { epsilon }, outputs: kernel.outputs }];
};

/** `id`, and what it was before each reshape. */
export function unshaped(view: ProgramView, id: ValueId): ValueId[] {
  const before = inputOf(view.producer(id, 'Reshape'), 'x');
  return before === undefined ? [id] : [id, ...unshaped(view, before)];
}

interface Norm {
  /** What is normalised, one sample a row. */
  readonly flat: ValueId;
  readonly weight: ValueId;
  readonly bias: ValueId;
  readonly epsilon: number;
}

function matchNorm(view: ProgramView, add: ProgramKernel): Norm | undefined {
  for (const [product, bias] of operands(add)) {
    for (const [cells, slope] of operands(view.producer(product, 'Multiply'))) {
      const centred = inputOf(view.producer(cells, 'Reshape'), 'x');
      const expanded = view.producer(slope, 'ExpandDims');
      const flat = matchCentred(view, centred);
      if (flat === undefined || expanded?.attrs.dim !== 1 || view.shape(cells).length !== 3) continue;
      const [samples, , channels] = view.shape(cells);
      const keepsSamples = view.isSame(samples!, view.shape(flat)[0]!);
      if (!keepsSamples || !view.isSameShape(view.shape(slope), [samples!, 1, channels!])) continue;
      for (const [scale, row] of operands(view.producer(inputOf(expanded, 'input'), 'Multiply'))) {
        const weight = inputOf(view.producer(row, 'Reshape'), 'x');
        const epsilon = matchScale(view, scale, centred!);
        if (weight === undefined || epsilon === undefined) continue;
        const isVector = (id: ValueId) => view.isSameShape(view.shape(id), [channels!]);
        if (isVector(weight) && isVector(bias)) return { flat, weight, bias, epsilon };
      }
    }
  }
  return undefined;
}

/** x of `centred = x − mean(x)`, the mean over the last of two axes. */
export function matchCentred(view: ProgramView, centred: ValueId | undefined): ValueId | undefined {
  const difference = view.producer(centred, 'Sub');
  const x = inputOf(difference, 'a');
  const mean = view.producer(inputOf(difference, 'b'), 'Mean');
  if (!mean || x === undefined || inputOf(mean, 'x') !== x || view.shape(x).length !== 2) return undefined;
  return [mean.attrs.axis].flat().join() === '1' && mean.attrs.keepDims ? x : undefined;
}

/** ε of `scale = 1/√(Σcentred²/N + ε)`, the sum as the product of each row of `[B, N]` with itself. */
export function matchScale(view: ProgramView, scale: ValueId, centred: ValueId): number | undefined {
  const variance = view.producer(inputOf(view.producer(scale, 'Rsqrt'), 'x'), 'Add');
  for (const [mean, epsilon] of operands(variance)) {
    const quotient = view.producer(mean, 'RealDiv');
    const sums = view.producer(inputOf(quotient, 'a'), 'Reshape');
    const squares = view.producer(inputOf(sums, 'x'), 'BatchMatMul');
    const [row, other] = [inputOf(squares, 'a'), inputOf(squares, 'b')];
    const isSquare = row === other && squares?.attrs.transposeB && !squares.attrs.transposeA;
    if (row === undefined || !isSquare || inputOf(view.producer(row, 'Reshape'), 'x') !== centred) continue;
    const [samples, size] = view.shape(centred);
    const count = view.size(inputOf(quotient, 'b'));
    const isRow = view.isSameShape(view.shape(row), [samples!, 1, size!]);
    if (isRow && count !== undefined && view.isSame(count, size!)) return view.scalar(epsilon);
  }
  return undefined;
}
