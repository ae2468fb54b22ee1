/** An axis: what of it is shown and where it has numbers. */
export interface Scale {
  readonly ticks: readonly number[];
  /** Where a value lies, from 0 to 1. */
  place(value: number): number;
}

/**
 * About `count` round numbers, at least `leastStep` apart, in the range from `low` to `high`, which grows to round numbers with `nice`.
 */
export function linearScale(
  low: number,
  high: number,
  { count = 4, nice = true, leastStep = 0 } = {},
): Scale {
  const span = high > low ? high - low : Math.max(1e-12, Math.abs(low) * 0.1);
  const [from, to] = high > low ? [low, high] : [low - span / 2, low + span / 2];
  const step = Math.max(leastStep, roundStep((to - from) / count));
  const first = nice ? Math.floor(from / step) : Math.ceil(from / step - 1e-9);
  const last = nice ? Math.ceil(to / step) : Math.floor(to / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  const [start, end] = nice ? [ticks[0]!, ticks.at(-1)!] : [from, to];
  return { ticks, place: (value) => (value - start) / (end - start) };
}

/** 1, 2 or 5 times a power of ten, at least `width`. */
function roundStep(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  const factor = [1, 2, 5, 10].find((one) => one * power >= width * (1 - 1e-9))!;
  return factor * power;
}

/** The same with equal steps for equal ratios; both ends above 0. */
export function logScale(low: number, high: number): Scale {
  const from = Math.floor(Math.log10(low));
  const to = Math.max(from + 1, Math.ceil(Math.log10(high)));
  const stride = Math.ceil((to - from) / 5);
  const ticks = Array.from({ length: Math.floor((to - from) / stride) + 1 }, (_, i) =>
    Number((10 ** (from + i * stride)).toPrecision(12)),
  );
  return { ticks, place: (value) => (Math.log10(value) - from) / (to - from) };
}
