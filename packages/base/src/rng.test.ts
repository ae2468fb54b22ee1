import { describe, expect, it } from 'vitest';
import { createRng } from './rng.ts';

/** The known-answer test of the Random123 distribution: counter 0, key 0. */
const PHILOX_ZERO = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];

describe('createRng', () => {
  it('draws the Philox4x32-10 known answer', () => {
    const rng = createRng({ key: [0, 0], position: 0 });
    expect([0, 1, 2, 3].map(() => rng.next() * 0x100000000)).toEqual(PHILOX_ZERO);
  });

  it('goes on from a saved state with the same numbers', () => {
    const rng = createRng(7);
    rng.uniform(13);
    const saved = JSON.parse(JSON.stringify(rng.state()));
    expect(createRng(saved).uniform(9)).toEqual(rng.uniform(9));
  });

  it('forks by label, independent of the position', () => {
    const a = createRng(1);
    const before = a.fork('x').next();
    a.next();
    expect(a.fork('x').next()).toBe(before);
    expect(a.fork('y').next()).not.toBe(before);
    expect(createRng(2).fork('x').next()).not.toBe(before);
  });

  it('has the moments of its distributions', () => {
    const rng = createRng(3);
    const mean = (values: Float32Array) => values.reduce((s, v) => s + v, 0) / values.length;
    expect(mean(rng.uniform(40_000))).toBeCloseTo(0.5, 2);
    const normal = rng.normal(40_000);
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((v) => v * v))).toBeCloseTo(1, 1);
    for (let i = 0; i < 1000; i++) expect([0, 1, 2]).toContain(rng.int(3));
  });
});
