import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dim, DimSolver, evaluateDim, type KnownDim } from './dims.ts';

/** Heights of four calls; whatever follows from them is asked of the solver. */
const HEIGHTS = [49, 71, 106, 56];
const WIDTHS = [72, 42, 51, 73];
const height: KnownDim = { dim: { op: 'input', input: 0, axis: 1 }, values: HEIGHTS };
const width: KnownDim = { dim: { op: 'input', input: 0, axis: 2 }, values: WIDTHS };

function solverOf(...known: readonly KnownDim[]): DimSolver {
  const solver = new DimSolver();
  for (const one of known) solver.learn(one);
  return solver;
}

describe('DimSolver', () => {
  it('takes what is always the same for fixed', () => {
    expect(solverOf(height).solve([96, 96, 96, 96])).toBe(96);
  });

  it.each<[string, (h: number, w: number) => number]>([
    ['the size itself', (h) => h],
    ['patches', (h) => Math.ceil(h / 4)],
    ['whole patches', (h) => Math.floor(h / 4)],
    ['the padded size', (h) => 4 * Math.ceil(h / 4)],
    ['the padding', (h) => 4 * Math.ceil(h / 4) - h],
    ['cells', (h, w) => h * w],
    ['cells and channels', (h, w) => 96 * h * w],
    ['one more', (h) => h + 1],
    ['both sides', (h, w) => h + w],
    ['the difference', (h, w) => w - h],
  ])('finds %s', (_, rule) => {
    const dim = solverOf(height, width).solve(HEIGHTS.map((h, call) => rule(h, WIDTHS[call]!)));
    expect(evaluateDim(dim!, [[1, 224, 343, 3]])).toBe(rule(224, 343));
    expect(evaluateDim(dim!, [[1, 33, 61, 3]])).toBe(rule(33, 61));
  });

  it('builds on what it found before', () => {
    const solver = solverOf(height);
    let rule = (h: number) => h;
    let dim: Dim | undefined;
    for (const divisor of [4, 2, 2, 2]) {
      const before = rule;
      rule = (h) => Math.ceil(before(h) / divisor);
      const near = [{ dim: dim ?? height.dim, values: HEIGHTS.map(before) }];
      dim = solver.solve(HEIGHTS.map(rule), near);
    }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (h) => {
        expect(evaluateDim(dim!, [[1, h]])).toBe(rule(h));
      }),
    );
  });

  it('prefers the axis that it is told to be near', () => {
    // The same number of rows and columns is missing in every call.
    const rows: KnownDim = { dim: { op: 'input', input: 0, axis: 0 }, values: [3, 5] };
    const columns: KnownDim = { dim: { op: 'input', input: 0, axis: 1 }, values: [7, 9] };
    const dim = solverOf(rows, columns).solve([4, 6], [columns]);
    expect(evaluateDim(dim!, [[100, 8]])).not.toBe(101);
  });

  it('gives up where there is no rule', () => {
    expect(solverOf(height, width).solve([1, 2, 4, 9])).toBeUndefined();
    expect(solverOf(height, width).solve([0.5, 1.5, 2, 3])).toBeUndefined();
  });
});
