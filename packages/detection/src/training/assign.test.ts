import { readFileSync } from 'node:fs';
import { createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { assign } from './assign.ts';
import { CHOOSERS } from './choose.fixture.ts';
import { chooseBoxes, chooseRandom } from './choose.ts';
import { iou } from './overlap.ts';

type Boxes = [number, number, number, number][];

interface Golden {
  readonly cases: readonly {
    note: string;
    boxes: Boxes;
    gt: Boxes;
    pos: number;
    neg: number;
    min_pos: number;
    low_quality: boolean;
    expected: number[];
  }[];
  readonly samples: readonly {
    case: string;
    sampler: 'first' | 'even';
    num: number;
    pos_fraction: number;
    pos: number[];
    neg: number[];
  }[];
}

/** From the PyTorch reference, exact. */
const golden = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../golden/${name}`, import.meta.url), 'utf8')) as T;
const { cases, samples } = golden<Golden>('assign.json');
const flat = (boxes: Boxes) => Float32Array.from(boxes.flat());
const run = (note: string) => {
  const { boxes, gt, pos, neg, min_pos, low_quality } = cases.find((c) => c.note === note)!;
  const lowQuality = low_quality ? { lowQuality: min_pos } : {};
  return assign(flat(boxes), flat(gt), { positive: pos, negative: neg, ...lowQuality });
};

describe('iou', () => {
  it('equals the reference to the bit', () => {
    const { a, b, expected } = golden<{ a: Boxes; b: Boxes; expected: number[][] }>('iou.json');
    const found = a.map((_, i) => b.map((_, j) => iou(flat(a), i, flat(b), j)));
    expect(found).toEqual(expected.map((row) => row.map(Math.fround)));
  });
});

describe('assign', () => {
  it.each(cases.map(({ note, expected }) => [note, expected] as const))('%s', (note, expected) => {
    expect([...run(note)]).toEqual(expected);
  });
});

describe('chooseBoxes', () => {
  it.each(samples.map((s) => [s.case, s.sampler, s] as const))('%s: %s', (note, sampler, expected) => {
    const settings = { count: expected.num, positiveFraction: expected.pos_fraction };
    const { positives, negatives } = chooseBoxes(run(note), settings, CHOOSERS[sampler]);
    expect([...positives]).toEqual(expected.pos);
    expect([...negatives]).toEqual(expected.neg);
  });

  it('draws the same subset from the same seed, every element about as often', () => {
    const indices = Int32Array.from({ length: 10 }, (_, i) => 3 * i);
    const draw = (seed: number) => [...chooseRandom(createRng(seed))(indices, 4)];
    expect(draw(1)).toEqual(draw(1));
    const counts = new Map<number, number>();
    for (let seed = 0; seed < 1000; seed++) {
      const drawn = draw(seed);
      expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b));
      for (const index of drawn) counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([...indices]);
    for (const count of counts.values()) expect(Math.abs(count - 400)).toBeLessThan(65);
  });
});
