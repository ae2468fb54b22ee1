import type { Rng } from '@as-mlp/base';

/** At most `count` of ascending `indices`, ascending. */
export type Choose = (indices: Int32Array, count: number) => Int32Array;

/** Every subset with the same chance. */
export function chooseRandom(rng: Rng): Choose {
  return (indices, count) => {
    if (indices.length <= count) return indices;
    const deck = indices.slice();
    for (let i = 0; i < count; i++) {
      const j = i + rng.int(deck.length - i);
      const drawn = deck[j]!;
      deck[j] = deck[i]!;
      deck[i] = drawn;
    }
    return deck.subarray(0, count).sort();
  };
}

/** Boxes that a loss looks at, as ascending indices. */
export interface Chosen {
  readonly positives: Int32Array;
  readonly negatives: Int32Array;
}

/** How many boxes of an image a loss looks at. */
export interface SamplerSettings {
  readonly count: number;
  /** Positives are at most this part of `count`; negatives fill up the rest. */
  readonly positiveFraction: number;
}

/** Chooses among the boxes that {@link assign} gave to objects and to background. */
export function chooseBoxes(
  assigned: Int32Array,
  { count, positiveFraction }: SamplerSettings,
  choose: Choose,
): Chosen {
  const positives = choose(where(assigned, true), Math.trunc(count * positiveFraction));
  const negatives = choose(where(assigned, false), count - positives.length);
  return { positives, negatives };
}

function where(assigned: Int32Array, positive: boolean): Int32Array {
  const found = new Int32Array(assigned.length);
  let length = 0;
  for (let i = 0; i < assigned.length; i++) {
    if (positive ? assigned[i]! > 0 : assigned[i] === 0) found[length++] = i;
  }
  return found.subarray(0, length);
}
