import { createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { createLossGuard } from './loss-guard.ts';
import { loopRecipe, parseRecipe } from './recipe.ts';

const settings = { factor: 10, updates: 3, window: 8 };

/** The update, from 0, at which it stops, and why. */
function stopOf(losses: readonly number[], guard = createLossGuard(settings)) {
  const reasons = losses.map((loss) => guard.check(loss));
  const at = reasons.findIndex((reason) => reason !== undefined);
  return at < 0 ? undefined : [at, reasons[at]];
}

describe('createLossGuard', () => {
  it('stops when several losses in a row are far above the median and the beginning', () => {
    expect(stopOf([2, 2, 2, 1, 1, 1, 30, 30, 30])).toEqual([
      8,
      'the loss explodes: it is 30, for 3 updates in a row above 10 times the median of those before, 1.5',
    ]);
  });

  it.each([
    ['single spikes', [2, 2, 2, 1, 30, 30, 1, 30, 30, 1, 30, 30, 1]],
    [
      'noise around a loss of almost nothing',
      [2, 2, 2, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1, 1, 1, 1.9],
    ],
    ['a rise of less than the factor', [2, 2, 2, 1, 1, 1, 9, 9, 9, 9]],
    ['losses that begin high', [500, 400, 300, 300, 2, 2, 2, 2, 2, 2, 2, 2, 300, 300, 300]],
    ['negative losses', [-1, -1, -2, -5, -5, -5, 0, 0, 0]],
  ])('lets pass %s', (_, losses) => {
    expect(stopOf(losses)).toBeUndefined();
  });

  it('does not follow a loss that has exploded, but a slow change', () => {
    const guard = createLossGuard({ ...settings, updates: 4 });
    expect(stopOf([1, 1, 1, 1, 1, 1, 99, 99, 99], guard)).toBeUndefined();
    expect(guard.memory()).toEqual({ first: [1, 1, 1, 1], recent: [1, 1, 1, 1, 1, 1], above: 3 });
    expect(guard.check(99)).toContain('4 updates in a row');
    expect(stopOf(Array.from({ length: 60 }, (_, i) => 1.2 ** i))).toBeUndefined();
  });

  it('goes on where it was', () => {
    const before = createLossGuard(settings);
    expect(stopOf([1, 1, 1, 1, 99, 99], before)).toBeUndefined();
    const after = createLossGuard(settings, JSON.parse(JSON.stringify(before.memory())));
    expect(after.check(99)).toContain('explodes');
  });

  it('is off with null', () => {
    expect(stopOf([1, 1, 1, 1, 1e9, 1e9, 1e9, 1e9], createLossGuard(null))).toBeUndefined();
  });

  it('lets the noise of a warm-up pass by default', () => {
    const { lossGuard } = parseRecipe(loopRecipe, {});
    const noise = createRng(4).normal(2000);
    const losses = Array.from(noise, (value, i) => (7 * Math.exp(-i / 300) + 0.05) * Math.exp(0.7 * value));
    expect(stopOf(losses, createLossGuard(lossGuard))).toBeUndefined();
    expect(stopOf([...losses, ...Array(5).fill(80)], createLossGuard(lossGuard))![0]).toBe(2004);
  });
});
