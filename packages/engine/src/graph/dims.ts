/** A whole number that follows from the sizes of a function's inputs. */
export type Dim = number | DimExpression;

/** `input`: the size of one input along one axis. The others compute with what stands left and right of them. */
export type DimExpression =
  | { readonly op: 'input'; readonly input: number; readonly axis: number }
  | {
      readonly op: 'add' | 'sub' | 'mul' | 'floorDiv';
      readonly left: Dim;
      readonly right: Dim;
    };

/** Whether a number is the same for all inputs. */
export function isFixed(dim: Dim): dim is number {
  return typeof dim === 'number';
}

/** Whether two numbers are computed in the same way, so that they are equal for all inputs. */
export function sameDim(a: Dim, b: Dim): boolean {
  return isFixed(a) || isFixed(b) ? a === b : JSON.stringify(a) === JSON.stringify(b);
}

/** The value of `dim` for inputs of these shapes. */
export function evaluateDim(dim: Dim, inputs: readonly (readonly number[])[]): number {
  if (isFixed(dim)) return dim;
  if (dim.op === 'input') return inputs[dim.input]![dim.axis]!;
  const [left, right] = [evaluateDim(dim.left, inputs), evaluateDim(dim.right, inputs)];
  if (dim.op === 'add') return left + right;
  if (dim.op === 'sub') return left - right;
  return dim.op === 'mul' ? left * right : Math.floor(left / right);
}

/** A number seen in several calls: what it was in each, and how it follows from the inputs. */
export interface KnownDim {
  readonly dim: Dim;
  readonly values: readonly number[];
}

/** Divisors that layers use: patches, strides, pooling. */
const DIVISORS = [2, 3, 4, 8, 16, 32] as const;
const MOST_FACTORS = 3;

/** `left op right`; a product that is divided by its last factor is undone. */
function combine(op: 'add' | 'sub' | 'mul' | 'floorDiv', left: Dim, right: Dim): Dim {
  const undone = op === 'floorDiv' && !isFixed(left) && left.op === 'mul' && left.right === right;
  return undone ? left.left : { op, left, right };
}

const ceilDiv = (dim: Dim, by: number): Dim => combine('floorDiv', combine('add', dim, by - 1), by);

/**
 * Finds how numbers follow from the sizes of the inputs, by what they were in several calls with inputs of different
 * sizes. A rule is accepted only when it gives the number of every call, and simpler rules come first.
 */
export class DimSolver {
  private readonly known: KnownDim[] = [];

  /**
   * @param values what the number was in each call.
   * @param near numbers that it likely follows from, likeliest first.
   * @returns undefined when no rule gives all values.
   */
  solve(values: readonly number[], near: readonly KnownDim[] = []): Dim | undefined {
    if (values.every((value) => value === values[0])) return values[0]!;
    if (!values.every(Number.isInteger)) return undefined;
    const open = near.filter(({ dim }) => !isFixed(dim));
    const dim =
      equal(values, open) ??
      equal(values, this.known.filter(isInput)) ??
      rounded(values, open) ??
      equal(values, this.known) ??
      product(values, open) ??
      sum(values, near) ??
      rounded(values, this.known) ??
      product(values, this.known) ??
      sum(values, this.known);
    if (dim !== undefined) this.learn({ dim, values });
    return dim;
  }

  /** Adds a number to build others from. */
  learn(known: KnownDim): void {
    if (!isFixed(known.dim) && !equal(known.values, this.known)) this.known.push(known);
  }
}

const isInput = ({ dim }: KnownDim) => !isFixed(dim) && dim.op === 'input';

function same(a: readonly number[], b: (call: number) => number): boolean {
  return a.every((value, call) => value === b(call));
}

function equal(values: readonly number[], from: readonly KnownDim[]): Dim | undefined {
  return from.find((known) => same(values, (call) => known.values[call]!))?.dim;
}

/** ⌈a/m⌉, ⌊a/m⌋, a up to the next multiple of m, and what is missing there. */
function rounded(values: readonly number[], from: readonly KnownDim[]): Dim | undefined {
  for (const { dim, values: a } of from) {
    for (const m of DIVISORS) {
      const up = (call: number) => Math.ceil(a[call]! / m);
      if (same(values, (call) => Math.floor(a[call]! / m))) return combine('floorDiv', dim, m);
      if (same(values, up)) return ceilDiv(dim, m);
      const whole = combine('mul', ceilDiv(dim, m), m);
      if (same(values, (call) => up(call) * m)) return whole;
      if (same(values, (call) => up(call) * m - a[call]!)) return combine('sub', whole, dim);
    }
  }
  return undefined;
}

/** A product of up to three known numbers, times or divided by a fixed one. */
function product(values: readonly number[], from: readonly KnownDim[]): Dim | undefined {
  const extend = (start: number, factors: readonly KnownDim[], sizes: readonly number[]): Dim | undefined => {
    if (factors.length > 0) {
      const ratio = values[0]! / sizes[0]!;
      const inverse = Math.round(1 / ratio);
      const whole = factors.map(({ dim }) => dim).reduce((a, b) => combine('mul', a, b));
      if (Number.isInteger(ratio) && ratio > 0 && same(values, (call) => sizes[call]! * ratio)) {
        return ratio === 1 ? whole : combine('mul', whole, ratio);
      }
      if (inverse > 1 && same(values, (call) => sizes[call]! / inverse)) {
        return combine('floorDiv', whole, inverse);
      }
    }
    if (factors.length === MOST_FACTORS) return undefined;
    for (let i = start; i < from.length; i++) {
      const next = from[i]!;
      const found = extend(
        i + 1,
        [...factors, next],
        sizes.map((size, call) => size * next.values[call]!),
      );
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return extend(
    0,
    [],
    values.map(() => 1),
  );
}

/** a ± a fixed number, a + b, a − b. */
function sum(values: readonly number[], from: readonly KnownDim[]): Dim | undefined {
  for (const { dim, values: a } of from) {
    const offset = values[0]! - a[0]!;
    if (same(values, (call) => a[call]! + offset)) return combine('add', dim, offset);
  }
  for (const left of from) {
    for (const right of from) {
      if (same(values, (call) => left.values[call]! + right.values[call]!)) {
        return combine('add', left.dim, right.dim);
      }
      if (same(values, (call) => left.values[call]! - right.values[call]!)) {
        return combine('sub', left.dim, right.dim);
      }
    }
  }
  return undefined;
}
