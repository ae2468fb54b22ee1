import type { ProgramKernel } from './program.ts';
import { inputOf, operands, type ProgramView } from './program-view.ts';
import { scaled } from './recognise-gelu.ts';
import { matchCentred, matchScale, unshaped } from './recognise-group-norm.ts';
import type { Rule } from './rewrite.ts';
import type { ValueId } from './trace.ts';

const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);

/** dy·(Φ(x) + x·φ(x)), with Φ = (erf(x·√½) + 1)·½ and φ = exp(x²·−½)·1/√(2π). */
export const recogniseGeluGradient: Rule = (kernel, view) => {
  if (kernel.name !== 'Multiply') return undefined;
  for (const [dy, slope] of operands(kernel)) {
    for (const [cdf, product] of operands(view.producer(slope, 'Add'))) {
      for (const [x, density] of operands(view.producer(product, 'Multiply'))) {
        const found = matchDensity(view, density) === x && matchCdf(view, cdf) === x;
        if (found && view.isSameShape(view.shape(dy), view.shape(x))) {
          return [{ name: 'GeluGradient', inputs: { x, dy }, attrs: {}, outputs: kernel.outputs }];
        }
      }
    }
  }
  return undefined;
};

function matchCdf(view: ProgramView, id: ValueId): ValueId | undefined {
  const sum = view.producer(scaled(view, id, 0.5), 'Add');
  const erf = operands(sum).find(([, one]) => view.scalar(one) === 1)?.[0];
  return scaled(view, inputOf(view.producer(erf, 'Erf'), 'x'), Math.SQRT1_2);
}

function matchDensity(view: ProgramView, id: ValueId): ValueId | undefined {
  const exponent = inputOf(view.producer(scaled(view, id, INV_SQRT_2PI), 'Exp'), 'x');
  return inputOf(view.producer(scaled(view, exponent, -0.5), 'Square'), 'x');
}

/** What the other gradients of a norm are found by, and where they are. */
interface KnownNorm {
  readonly normalized: ValueId;
  readonly gain: ValueId;
  readonly bias: ValueId;
}

/**
 * The gradients of a norm of samples as rows, with n = (x − mean)·scale: of x `(g − mean(g) − n·mean(g·n))·scale` with
 * `g = dy·gain`, of the gain `Σ dy·n`, of the bias `Σ dy`. The rule remembers norms: one for each program.
 */
export function recogniseGroupNormGradient(): Rule {
  /** By dy as `[B, H·W, C]`. */
  const known = new Map<ValueId, KnownNorm>();
  return (kernel, view) => {
    if (kernel.name === 'Sum') {
      const gradient = matchSum(view, kernel, known);
      return gradient === undefined
        ? undefined
        : [{ name: 'Identity', inputs: { x: gradient }, attrs: {}, outputs: kernel.outputs }];
    }
    const found = kernel.name === 'Multiply' ? matchGradient(view, kernel) : undefined;
    if (!found) return undefined;
    const { rows, normalized, x, dy, weight, epsilon } = found;
    const [map, gain, bias] = [view.define(x), view.define(weight), view.define(weight)];
    known.set(rows, { normalized, gain, bias });
    const inputs = { x, weight, dy };
    return [
      { name: 'GroupNormGradient', inputs, attrs: { epsilon }, outputs: [map, gain, bias] },
      {
        name: 'Reshape',
        inputs: { x: map },
        attrs: { shape: view.shape(kernel.outputs[0]!) },
        outputs: kernel.outputs,
      },
    ];
  };
}

/** The gradient of a gain or a bias, if this sum is one of a known norm. */
function matchSum(
  view: ProgramView,
  sum: ProgramKernel,
  known: ReadonlyMap<ValueId, KnownNorm>,
): ValueId | undefined {
  if ([sum.attrs.axis].flat().join() !== '0,1' || sum.attrs.keepDims) return undefined;
  const summed = inputOf(sum, 'x')!;
  const bias = known.get(summed)?.bias;
  if (bias !== undefined) return bias;
  for (const [rows, other] of operands(view.producer(summed, 'Multiply'))) {
    const norm = known.get(rows);
    if (norm && inputOf(view.producer(other, 'Reshape'), 'x') === norm.normalized) return norm.gain;
  }
  return undefined;
}

function matchGradient(view: ProgramView, kernel: ProgramKernel) {
  for (const [difference, scale] of operands(kernel)) {
    const outer = view.producer(difference, 'Sub');
    const g = matchCentred(view, inputOf(outer, 'a'));
    if (g === undefined) continue;
    for (const [normalized, projection] of operands(view.producer(inputOf(outer, 'b'), 'Multiply'))) {
      const centred = operands(view.producer(normalized, 'Multiply')).find(([, by]) => by === scale)?.[0];
      const flat = matchCentred(view, centred);
      if (flat === undefined || !isProjection(view, projection, g, normalized)) continue;
      const epsilon = matchScale(view, scale, centred!);
      const scaledRows = view.producer(inputOf(view.producer(g, 'Reshape'), 'x'), 'Multiply');
      for (const [rows, weight] of operands(scaledRows)) {
        const maps = matchMaps(view, flat, rows, weight);
        if (maps && epsilon !== undefined) return { rows, normalized, weight, epsilon, ...maps };
      }
    }
  }
  return undefined;
}

/** Whether `id` is mean(g·n) over the samples. */
function isProjection(view: ProgramView, id: ValueId, g: ValueId, normalized: ValueId): boolean {
  const mean = view.producer(id, 'Mean');
  if ([mean?.attrs.axis].flat().join() !== '1' || !mean?.attrs.keepDims) return false;
  const product = view.producer(inputOf(mean, 'x'), 'Multiply');
  return operands(product).some(([a, b]) => a === g && b === normalized);
}

/** The norm's input and the gradient of its output in one shape that has the samples first and the channels last. */
function matchMaps(view: ProgramView, flat: ValueId, rows: ValueId, weight: ValueId) {
  const [samples] = view.shape(flat);
  const [channels] = view.shape(weight);
  if (view.shape(weight).length !== 1 || view.shape(rows).length !== 3) return undefined;
  for (const dy of unshaped(view, rows)) {
    const shape = view.shape(dy);
    const fits =
      shape.length > 1 && view.isSame(shape[0]!, samples!) && view.isSame(shape.at(-1)!, channels!);
    const x = fits && unshaped(view, flat).find((id) => view.isSameShape(view.shape(id), shape));
    if (typeof x === 'number') return { x, dy };
  }
  return undefined;
}
