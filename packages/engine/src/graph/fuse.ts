import { type Dim, sameDim } from './dims.ts';
import type { Program, ProgramKernel } from './program.ts';
import { inputOf, operands, type ProgramView, type Rule, rewrite } from './rewrite.ts';
import type { ValueId } from './trace.ts';

/**
 * Recognises layers in the kernels that compute them and puts one kernel in their place, for back ends that have
 * these layers as a whole:
 *
 * - `Gelu` { x }: `x/2·(1 + erf(x/√2))`;
 * - `GroupNorm` { x, weight, bias }, attribute `epsilon`: `[B, …, C]` normalised over all but B, times `weight` plus
 *   `bias`, both `[C]`.
 */
export function fuseLayers(program: Program): Program {
  const rules: readonly Rule[] = [fuseGelu, fuseGroupNorm];
  return rules.reduce(rewrite, program);
}

/** A reshape of a reshape is one. */
export function joinReshapes(program: Program): Program {
  return rewrite(program, (kernel, view) => {
    if (kernel.name !== 'Reshape') return undefined;
    let x = inputOf(kernel, 'x')!;
    for (let inner = view.made('Reshape', x); inner; inner = view.made('Reshape', x)) {
      x = inputOf(inner, 'x')!;
    }
    return x === kernel.inputs.x ? undefined : [{ ...kernel, inputs: { x } }];
  });
}

/** h + h·erf(x·√½) with h = x·½. */
function fuseGelu(kernel: ProgramKernel, view: ProgramView): ProgramKernel[] | undefined {
  if (kernel.name !== 'Add') return undefined;
  for (const [half, rest] of operands(kernel)) {
    const x = scaled(view, half, 0.5);
    if (x === undefined) continue;
    for (const [factor, error] of operands(view.made('Multiply', rest))) {
      const argument = inputOf(view.made('Erf', error), 'x');
      if (factor === half && argument !== undefined && scaled(view, argument, Math.SQRT1_2) === x) {
        return [{ name: 'Gelu', inputs: { x }, attrs: {}, outputs: kernel.outputs }];
      }
    }
  }
  return undefined;
}

/** The x of x·factor. */
function scaled(view: ProgramView, id: ValueId, factor: number): ValueId | undefined {
  const isFactor = (one: ValueId) => view.scalar(one) === Math.fround(factor);
  return operands(view.made('Multiply', id)).find(([, other]) => isFactor(other))?.[0];
}

/** (x − mean(x))·(1/√(Σ(x − mean(x))²/n + ε)·weight) + bias, with x as rows of samples. */
function fuseGroupNorm(kernel: ProgramKernel, view: ProgramView): ProgramKernel[] | undefined {
  if (kernel.name !== 'Add') return undefined;
  for (const [product, bias] of operands(kernel)) {
    for (const [rows, slope] of operands(view.made('Multiply', product))) {
      const centred = source(view, rows);
      const found = matchSlope(view, source(view, slope));
      if (!found || found.centred !== centred || !isPerChannel(view, bias)) continue;
      const flat = centreOf(view, centred);
      if (flat === undefined) continue;
      const result = view.shape(kernel.outputs[0]!);
      const x = mapOf(view, flat, found.count, result);
      if (x === undefined) continue;
      const normalized = view.define(x, view.shape(x));
      const { weight, epsilon } = found;
      return [
        { name: 'GroupNorm', inputs: { x, weight, bias }, attrs: { epsilon }, outputs: [normalized] },
        {
          name: 'Reshape',
          inputs: { x: normalized },
          attrs: { shape: result },
          outputs: kernel.outputs,
        },
      ];
    }
  }
  return undefined;
}

interface Slope {
  readonly centred: ValueId;
  readonly weight: ValueId;
  readonly epsilon: number;
  readonly count: Dim;
}

/** weight/√(Σcentred²/count + ε), the sum as a product of each row with itself. */
function matchSlope(view: ProgramView, slope: ValueId): Slope | undefined {
  for (const [scale, gain] of operands(view.made('Multiply', slope))) {
    const weight = source(view, gain);
    const variance = inputOf(view.made('Rsqrt', scale), 'x');
    for (const [mean, small] of operands(view.made('Add', variance))) {
      const epsilon = view.scalar(small);
      const quotient = view.made('RealDiv', mean);
      const count = quotient && view.size(inputOf(quotient, 'b')!);
      const squares = quotient && view.made('BatchMatMul', source(view, inputOf(quotient, 'a')!));
      if (epsilon === undefined || count === undefined || !squares || !isPerChannel(view, weight)) continue;
      const { transposeA, transposeB } = squares.attrs;
      const [a, b] = [source(view, inputOf(squares, 'a')!), source(view, inputOf(squares, 'b')!)];
      if (a === b && !transposeA && transposeB) return { centred: a, weight, epsilon, count };
    }
  }
  return undefined;
}

/** The x of x − mean(x), the mean over the last of two axes. */
function centreOf(view: ProgramView, centred: ValueId): ValueId | undefined {
  const difference = view.made('Sub', centred);
  const mean = view.made('Mean', inputOf(difference, 'b'));
  const x = inputOf(difference, 'a');
  if (!mean || x === undefined || mean.inputs.x !== x || view.shape(x).length !== 2) return undefined;
  return [mean.attrs.axis].flat().join() === '1' && mean.attrs.keepDims ? x : undefined;
}

/** The `[B, …, C]` that was flattened to samples of `count` elements. */
function mapOf(
  view: ProgramView,
  flat: ValueId,
  count: Dim,
  [batch, , channels]: readonly Dim[],
): ValueId | undefined {
  if (!sameDim(view.shape(flat)[1]!, count)) return undefined;
  let map = inputOf(view.made('Reshape', flat), 'x');
  // What is no map is rows of a product, and was a map in between.
  for (; map !== undefined; map = inputOf(view.made('Reshape', map), 'x')) {
    const shape = view.shape(map);
    const isMap = shape.length > 2 && sameDim(shape[0]!, batch!) && sameDim(shape.at(-1)!, channels!);
    if (isMap) return map;
  }
  return undefined;
}

function isPerChannel(view: ProgramView, id: ValueId): boolean {
  return view.isConstant(id) && view.shape(id).length === 1;
}

/** What a value is before it was given another shape. */
function source(view: ProgramView, id: ValueId): ValueId {
  const inner = inputOf(view.made('Reshape', id), 'x') ?? inputOf(view.made('ExpandDims', id), 'input');
  return inner === undefined ? id : source(view, inner);
}
