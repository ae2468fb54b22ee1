/** A resampling filter: its weight at distance `x` and the distance from which it is zero. */
export interface Filter {
  readonly support: number;
  weight(x: number): number;
}

/** Keys' cubic with a = −0.5, as Pillow has it (OpenCV and PyTorch use −0.75). */
export const bicubicFilter: Filter = {
  support: 2,
  weight(x) {
    const a = -0.5;
    const d = Math.abs(x);
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
    return 0;
  },
};

/** The triangle, as Pillow has it. */
export const bilinearFilter: Filter = {
  support: 1,
  weight(x) {
    const d = Math.abs(x);
    return d < 1 ? 1 - d : 0;
  },
};

/** What each output position of one axis is made of: `count` source positions from `starts[i]` on. */
export interface Taps {
  readonly count: number;
  readonly starts: Int32Array;
  /** `starts.length · count` weights with 22 fractional bits; unused ones are 0. */
  readonly weights: Int32Array;
}

const ONE = 1 << 22;

/**
 * The taps of output positions `first … first + length − 1` when `source` positions are resized to `target` with
 * antialiasing: the filter is stretched by the scale when shrinking. Weights are computed in double precision,
 * normalised to sum 1 and rounded half away from zero to 22 bits, in the order of Pillow's `precompute_coeffs`.
 */
export function computeTaps(
  source: number,
  target: number,
  first: number,
  length: number,
  filter: Filter,
): Taps {
  const scale = source / target;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const inverse = 1 / stretch;
  const starts = new Int32Array(length);
  const ends = new Int32Array(length);
  let count = 1;
  for (let i = 0; i < length; i++) {
    const centre = (first + i + 0.5) * scale;
    starts[i] = Math.max(0, Math.trunc(centre - support + 0.5));
    ends[i] = Math.min(source, Math.trunc(centre + support + 0.5));
    count = Math.max(count, ends[i]! - starts[i]!);
  }
  const weights = new Int32Array(length * count);
  const exact = new Float64Array(count);
  for (let i = 0; i < length; i++) {
    const centre = (first + i + 0.5) * scale;
    const start = starts[i]!;
    const used = ends[i]! - start;
    let sum = 0;
    for (let k = 0; k < used; k++) {
      exact[k] = filter.weight((k + start - centre + 0.5) * inverse);
      sum += exact[k]!;
    }
    // Every position gets `count` taps; near the end they start earlier so that none lies outside.
    const shift = Math.max(0, start + count - source);
    starts[i] = start - shift;
    for (let k = 0; k < used; k++) {
      const weight = sum === 0 ? exact[k]! : exact[k]! / sum;
      weights[i * count + shift + k] = Math.trunc(weight * ONE + (weight < 0 ? -0.5 : 0.5));
    }
  }
  return { count, starts, weights };
}
