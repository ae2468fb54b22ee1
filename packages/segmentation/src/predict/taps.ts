/** What each output position along one axis is mixed from: `Σ weight · source`, taps `from[i]` up to `from[i + 1]`. */
export interface Taps {
  readonly from: Int32Array;
  readonly source: Int32Array;
  readonly weight: Float32Array;
}

/** A part of an axis that the network saw by itself. */
export interface Window {
  readonly start: number;
  readonly length: number;
}

/**
 * Where windows of `crop` lie along an axis of `length`, `stride` apart; the last one is moved back to end at the border. One
 * window of the whole axis when it is not longer than the crop.
 */
export function slidingWindows(length: number, crop: number, stride: number): Window[] {
  const count = Math.floor(Math.max(length - crop + stride - 1, 0) / stride) + 1;
  return Array.from({ length: count }, (_, i) => {
    const end = Math.min(i * stride + crop, length);
    const start = Math.max(end - crop, 0);
    return { start, length: end - start };
  });
}

/**
 * The taps that lead from the cells of all windows, one window after the other, to an output of `outputs` positions: each
 * window's `cells` are resized to its length, windows are averaged where they overlap, and the `length` positions that
 * this gives are resized to the output. Both resizes are PyTorch's `interpolate(mode='bilinear')`. All of it is linear, so
 * it is done in one step.
 */
export function windowTaps(
  windows: readonly Window[],
  cells: readonly number[],
  length: number,
  outputs: number,
): Taps {
  const inner: Map<number, number>[] = Array.from({ length }, () => new Map());
  const seen = new Int32Array(length);
  for (const window of windows) {
    for (let i = window.start; i < window.start + window.length; i++) seen[i]!++;
  }
  let base = 0;
  for (const [index, window] of windows.entries()) {
    for (let i = 0; i < window.length; i++) {
      const position = window.start + i;
      for (const [cell, weight] of neighbours(i, cells[index]!, window.length)) {
        add(inner[position]!, base + cell, weight / seen[position]!);
      }
    }
    base += cells[index]!;
  }
  const outer = Array.from({ length: outputs }, (_, i) => {
    const mixed = new Map<number, number>();
    for (const [position, weight] of neighbours(i, length, outputs)) {
      for (const [cell, part] of inner[position]!) add(mixed, cell, weight * part);
    }
    return mixed;
  });
  return pack(outer);
}

/** The same taps, read from the other end: for a view that was mirrored. */
export function mirrored({ from, source, weight }: Taps): Taps {
  const count = from.length - 1;
  const lists = Array.from({ length: count }, (_, i) => {
    const [begin, end] = [from[count - 1 - i]!, from[count - i]!];
    return new Map(Array.from({ length: end - begin }, (_, j) => [source[begin + j]!, weight[begin + j]!]));
  });
  return pack(lists);
}

/** The two inputs that output `i` lies between, positions rounded to float32 as PyTorch does. */
function neighbours(i: number, inputs: number, outputs: number): [index: number, weight: number][] {
  const ratio = Math.fround(inputs / outputs);
  const position = Math.max(0, Math.fround(Math.fround(ratio * (i + 0.5)) - 0.5));
  const low = Math.min(Math.floor(position), inputs - 1);
  const high = Math.min(low + 1, inputs - 1);
  const part = position - low;
  if (high === low || part === 0) return [[low, 1]];
  return [
    [low, 1 - part],
    [high, part],
  ];
}

function add(sums: Map<number, number>, key: number, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}

function pack(lists: readonly ReadonlyMap<number, number>[]): Taps {
  const from = new Int32Array(lists.length + 1);
  for (const [i, { size }] of lists.entries()) from[i + 1] = from[i]! + size;
  const source = new Int32Array(from.at(-1)!);
  const weight = new Float32Array(source.length);
  for (const [i, list] of lists.entries()) {
    let at = from[i]!;
    for (const [index, value] of list) {
      source[at] = index;
      weight[at++] = value;
    }
  }
  return { from, source, weight };
}
