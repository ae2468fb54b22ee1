import { AsMlpError } from '@as-mlp/base';

/**
 * How a tensor's official (PyTorch) layout maps onto the engine's (TensorFlow, NHWC):
 *
 * | layout          | official             | engine               |
 * | --------------- | -------------------- | -------------------- |
 * | `plain`         | as it is             | as it is             |
 * | `conv`          | `[out, in, kh, kw]`  | `[kh, kw, in, out]`  |
 * | `linear`        | `[out, in]`          | `[in, out]`          |
 * | `convTranspose` | `[in, out, kh, kw]`  | `[kh, kw, out, in]`  |
 * | `linear7x7`     | `[out, in · 7 · 7]`  | `[7, 7, in, out]`    |
 *
 * All four moves reverse the two channel axes and put the kernel in front of them. `linear7x7` is a linear layer over a
 * flattened map of 7×7: channels, rows, columns officially; rows, columns, channels here.
 */
export type Layout = 'plain' | 'conv' | 'linear' | 'convTranspose' | 'linear7x7';

const MAP = 7;

/** Rows and columns that are moved together, so that both sides stay in the processor's first cache. */
const TILE = 32;

/** The engine's shape of a tensor of the official `shape`. */
export function engineShape(layout: Layout, shape: readonly number[]): number[] {
  checkRank(layout, shape);
  if (layout === 'plain') return [...shape];
  const [first, second, ...kernel] = unfolded(layout, shape);
  return [...kernel, second!, first!];
}

/**
 * Values in the engine's layout, from row-major `data` of the official `shape`.
 * `plain` returns `data` itself; the others return a new array.
 */
export function toEngineLayout(layout: Layout, data: Float32Array, shape: readonly number[]): Float32Array {
  checkSize(layout, data, shape);
  if (layout === 'plain') return data;
  const { rows, columns, places } = moves(unfolded(layout, shape));
  const out = new Float32Array(data.length);
  forEachTile(rows, columns, (row, rowEnd, from, to) => {
    for (let i = from; i < to; i++) {
      const place = places[i]!;
      for (let r = row; r < rowEnd; r++) out[place + r] = data[r * columns + i]!;
    }
  });
  return out;
}

/**
 * Inverse of {@link toEngineLayout}: values in the official layout, from row-major `data` in the engine's.
 * `shape` is the official one.
 */
export function toOfficialLayout(layout: Layout, data: Float32Array, shape: readonly number[]): Float32Array {
  checkSize(layout, data, shape);
  if (layout === 'plain') return data;
  const { rows, columns, places } = moves(unfolded(layout, shape));
  const out = new Float32Array(data.length);
  forEachTile(rows, columns, (row, rowEnd, from, to) => {
    for (let r = row; r < rowEnd; r++) {
      for (let i = from; i < to; i++) out[r * columns + i] = data[places[i]! + r]!;
    }
  });
  return out;
}

/** The official shape with the axes of the map that `linear7x7` flattens. */
function unfolded(layout: Layout, shape: readonly number[]): readonly number[] {
  return layout === 'linear7x7' ? [shape[0]!, shape[1]! / MAP ** 2, MAP, MAP] : shape;
}

/**
 * The official tensor as a matrix of one row for each entry of its first axis, and where in the engine's
 * tensor each column begins: official[row][channel][k] lies at engine[k][channel][row].
 */
function moves(shape: readonly number[]): { rows: number; columns: number; places: Uint32Array } {
  const [rows, channels, ...kernel] = shape as [number, number, ...number[]];
  const positions = kernel.reduce((product, extent) => product * extent, 1);
  const places = new Uint32Array(channels * positions);
  let column = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let k = 0; k < positions; k++) places[column++] = (k * channels + channel) * rows;
  }
  return { rows, columns: places.length, places };
}

function forEachTile(
  rows: number,
  columns: number,
  move: (row: number, rowEnd: number, column: number, columnEnd: number) => void,
): void {
  for (let row = 0; row < rows; row += TILE) {
    for (let column = 0; column < columns; column += TILE) {
      move(row, Math.min(row + TILE, rows), column, Math.min(column + TILE, columns));
    }
  }
}

function checkRank(layout: Layout, shape: readonly number[]): void {
  const isFlat = layout === 'linear' || layout === 'linear7x7';
  const rank = layout === 'plain' ? shape.length : isFlat ? 2 : 4;
  const isWhole = layout !== 'linear7x7' || shape[1]! % MAP ** 2 === 0;
  if (shape.length === rank && isWhole) return;
  if (shape.length === rank) {
    throw new AsMlpError('input', {
      what: `${shape[1]} inputs are not channels of a map of ${MAP}×${MAP}`,
      fix: `Give a multiple of ${MAP ** 2}`,
    });
  }
  throw new AsMlpError('input', {
    what: `the layout "${layout}" needs ${rank} axes, the shape [${shape}] has ${shape.length}`,
    fix: 'Give the official shape of the tensor',
  });
}

function checkSize(layout: Layout, data: Float32Array, shape: readonly number[]): void {
  checkRank(layout, shape);
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (data.length === size) return;
  throw new AsMlpError('input', {
    what: `a tensor of shape [${shape}] was given ${data.length} values`,
    fix: `Give ${size} values`,
  });
}
