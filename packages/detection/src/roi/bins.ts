/** How the bins of one axis mix the cells of a map: bin b takes `weights[b · most + k]` of cell `starts[b] + k`. */
export interface Bins {
  readonly starts: Int32Array;
  /** Cells of each bin; 0 where every sample lies outside. */
  readonly counts: Int32Array;
  readonly weights: Float32Array;
  readonly most: number;
  /** First cell that any bin needs, and the first behind the last; both 0 when none is needed. */
  readonly begin: number;
  readonly end: number;
}

/**
 * The bins of a region along one axis (He et al., 2017): `bins` equal parts of `low` … `high` (cells, pixel centres at whole
 * numbers), each the mean of ⌈part⌉ equally spaced linear interpolations. Samples more than a cell outside the map
 * count as 0, and a region without extent has none. Rounded to float32 as officially, since ⌈part⌉ depends on it.
 */
export function regionBins(low: number, high: number, bins: number, cells: number): Bins {
  const { fround } = Math;
  const step = fround(fround(high - low) / bins);
  const samples = Math.max(0, Math.ceil(step));
  const most = Math.min(samples, cells) + 1;
  const starts = new Int32Array(bins);
  const counts = new Int32Array(bins);
  const weights = new Float32Array(bins * most);
  let begin = cells;
  let end = 0;
  for (let bin = 0; bin < bins; bin++) {
    const first = fround(low + fround(bin * step));
    let start = -1;
    let last = -1;
    for (let k = 0; k < samples; k++) {
      const position = fround(first + fround(fround((k + 0.5) * step) / samples));
      if (!(position >= -1 && position <= cells)) continue;
      const inside = Math.min(Math.max(position, 0), cells - 1);
      const cell = Math.floor(inside);
      const next = Math.min(cell + 1, cells - 1);
      const fraction = inside - cell;
      if (start < 0) start = cell;
      last = fraction > 0 ? next : Math.max(last, cell);
      weights[bin * most + cell - start]! += (1 - fraction) / samples;
      if (fraction > 0) weights[bin * most + next - start]! += fraction / samples;
    }
    if (start < 0) continue;
    starts[bin] = start;
    counts[bin] = last - start + 1;
    begin = Math.min(begin, start);
    end = Math.max(end, last + 1);
  }
  return end === 0
    ? { starts, counts, weights, most, begin: 0, end: 0 }
    : { starts, counts, weights, most, begin, end };
}
