import type { LabelMap, Size } from '@as-mlp/data';
import type { Taps } from './taps.ts';

/** The logits of one view, outside of the tensor library, and how they lead to the pixels of the image. */
export interface ViewLogits {
  /** A map for each window, in rows and columns: `maps[row][column]` is `[cells of the row, cells of the column, classes]`. */
  readonly maps: readonly (readonly Float32Array[])[];
  /** Cells of the maps of each row and of each column. */
  readonly cells: { readonly rows: readonly number[]; readonly columns: readonly number[] };
  /** From the cells of all rows, and of all columns, to the pixels of the image. */
  readonly taps: { readonly rows: Taps; readonly columns: Taps };
}

/** Told the scores of each pixel: logits for one view, the mean of the probabilities for several. */
export type OnPixel = (row: number, column: number, scores: Float32Array) => void;

/**
 * The class of each pixel of an image: the one with the largest logit in a single view, or with the largest mean of the
 * probabilities over several. Of equals the first.
 *
 * Only the numbers of one pixel and of one row of cells for each view are held: `[H, W, classes]` never exists.
 */
export function labelPixels(
  views: readonly ViewLogits[],
  { height, width }: Size,
  classes: number,
  onPixel?: OnPixel,
): LabelMap {
  const data = classes <= 256 ? new Uint8Array(height * width) : new Uint16Array(height * width);
  const rows = views.map(({ cells }) => {
    const columns = cells.columns.reduce((a, b) => a + b, 0);
    return new Float32Array(columns * classes);
  });
  const scores = new Float32Array(classes);
  const one = new Float32Array(classes);
  for (let y = 0, pixel = 0; y < height; y++) {
    for (const [i, view] of views.entries()) mixRow(view, y, rows[i]!);
    for (let x = 0; x < width; x++, pixel++) {
      if (views.length === 1) mixPixel(rows[0]!, views[0]!.taps.columns, x, scores);
      else {
        scores.fill(0);
        for (const [i, { taps }] of views.entries()) {
          mixPixel(rows[i]!, taps.columns, x, one);
          addProbabilities(one, scores);
        }
        for (let k = 0; k < classes; k++) scores[k]! /= views.length;
      }
      onPixel?.(y, x, scores);
      data[pixel] = largest(scores);
    }
  }
  return { height, width, data };
}

/** The cells of one row of pixels: `[cells of all columns, classes]`. */
function mixRow({ maps, cells, taps }: ViewLogits, y: number, into: Float32Array): void {
  into.fill(0);
  const { from, source, weight } = taps.rows;
  for (let tap = from[y]!; tap < from[y + 1]!; tap++) {
    let [row, cell] = [0, source[tap]!];
    while (cell >= cells.rows[row]!) cell -= cells.rows[row++]!;
    const factor = weight[tap]!;
    let to = 0;
    for (const map of maps[row]!) {
      const length = map.length / cells.rows[row]!;
      const start = cell * length;
      for (let i = 0; i < length; i++) into[to + i]! += factor * map[start + i]!;
      to += length;
    }
  }
}

function mixPixel(row: Float32Array, { from, source, weight }: Taps, x: number, into: Float32Array): void {
  const classes = into.length;
  const begin = from[x]!;
  const [a, wa] = [source[begin]! * classes, weight[begin]!];
  if (from[x + 1]! - begin === 1) {
    for (let k = 0; k < classes; k++) into[k] = wa * row[a + k]!;
    return;
  }
  const [b, wb] = [source[begin + 1]! * classes, weight[begin + 1]!];
  for (let k = 0; k < classes; k++) into[k] = wa * row[a + k]! + wb * row[b + k]!;
  for (let tap = begin + 2; tap < from[x + 1]!; tap++) {
    const [c, wc] = [source[tap]! * classes, weight[tap]!];
    for (let k = 0; k < classes; k++) into[k]! += wc * row[c + k]!;
  }
}

/** Adds the softmax of `logits`, which it overwrites. */
function addProbabilities(logits: Float32Array, sums: Float32Array): void {
  const most = logits[largest(logits)]!;
  let total = 0;
  for (let k = 0; k < logits.length; k++) {
    const value = Math.exp(logits[k]! - most);
    logits[k] = value;
    total += value;
  }
  for (let k = 0; k < logits.length; k++) sums[k]! += logits[k]! / total;
}

function largest(scores: Float32Array): number {
  let best = 0;
  let most = scores[0]!;
  for (let k = 1; k < scores.length; k++) {
    if (scores[k]! > most) {
      most = scores[k]!;
      best = k;
    }
  }
  return best;
}
