import type { Region, RgbImage, Size } from './image.ts';
import { RESAMPLE_WASM } from './resample.wasm.ts';
import { computeTaps, type Filter, type Taps } from './taps.ts';

interface Kernel {
  readonly memory: WebAssembly.Memory;
  horizontal(
    source: number,
    sourceStride: number,
    rows: number,
    target: number,
    columns: number,
    starts: number,
    weights: number,
    taps: number,
  ): void;
  vertical(
    source: number,
    rowBytes: number,
    target: number,
    rows: number,
    starts: number,
    weights: number,
    taps: number,
  ): void;
}

/** Bound on each of the three buffers of a band, so that a huge image does not make the kernel's memory huge. */
const BAND_BYTES = 4 << 20;
const PAGE = 1 << 16;
/** Free bytes behind every buffer: the kernel reads and writes whole vectors. */
const SLACK = 16;

let kernel: Kernel | undefined;

function openKernel(): Kernel {
  kernel ??= new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(RESAMPLE_WASM, 'base64')))
    .exports as unknown as Kernel;
  return kernel;
}

/**
 * Resizes the rectangle `region` of `image` to `size` with `filter` and returns the bytes of the rectangle `window` of
 * the result, `window.height · window.width · 3`, equal to the last bit to what Pillow 13 computes for the whole
 * (`Resample.c`: two passes, each rounded to 8 bits; nothing outside `region` is seen).
 * Only the source pixels that the window needs are touched.
 */
export function resample(
  image: RgbImage,
  region: Region,
  size: Size,
  window: Region,
  filter: Filter,
): Uint8Array {
  const columns = computeTaps(region.width, size.width, window.left, window.width, filter);
  const rows = computeTaps(region.height, size.height, window.top, window.height, filter);
  const firstColumn = columns.starts[0]!;
  const plan: Plan = {
    columns,
    rows,
    verticalFirst: isVerticalFirst(region, size),
    firstColumn,
    sourceBytes: (columns.starts[window.width - 1]! + columns.count - firstColumn) * 3,
    targetBytes: window.width * 3,
  };
  const output = new Uint8Array(window.height * plan.targetBytes);
  for (let top = 0; top < window.height; ) {
    const bottom = bandEnd(plan, top);
    resampleBand(image, region, plan, top, bottom, output);
    top = bottom;
  }
  return output;
}

/** The same for every band of one image. */
interface Plan {
  readonly columns: Taps;
  readonly rows: Taps;
  readonly verticalFirst: boolean;
  /** The first source column that any output column needs. */
  readonly firstColumn: number;
  /** Bytes of a source row that are needed. */
  readonly sourceBytes: number;
  /** Bytes of an output row. */
  readonly targetBytes: number;
}

/**
 * Pillow 13 starts with the vertical pass when the height loses more than twice the pixels that the width loses; Pillow
 * 12.2 and older never did. The order can move a byte by one level, since each pass rounds.
 */
function isVerticalFirst(source: Size, target: Size): boolean {
  const lost = source.height - target.height;
  return lost > 0 && lost > (source.width - target.width) * 2;
}

/** How far a band of output rows from `top` on may go within the memory bound: one row at least. */
function bandEnd({ rows, verticalFirst, sourceBytes, targetBytes }: Plan, top: number): number {
  const { starts, count } = rows;
  const rowBytes = verticalFirst ? Math.max(sourceBytes, targetBytes) : targetBytes;
  let bottom = top + 1;
  while (bottom < starts.length) {
    const sourceRows = starts[bottom]! + count - starts[top]!;
    if (Math.max(sourceRows, bottom + 1 - top) * rowBytes > BAND_BYTES) break;
    bottom++;
  }
  return bottom;
}

function resampleBand(
  image: RgbImage,
  region: Region,
  { columns, rows, verticalFirst, firstColumn, sourceBytes, targetBytes }: Plan,
  top: number,
  bottom: number,
  output: Uint8Array,
): void {
  const { horizontal, vertical, memory } = openKernel();
  const columnCount = columns.starts.length;
  const bandRows = bottom - top;
  const firstRow = rows.starts[top]!;
  const sourceRows = rows.starts[bottom - 1]! + rows.count - firstRow;
  // The horizontal pass can take its source in pieces; the vertical one needs all rows at once.
  const pieceRows = verticalFirst ? sourceRows : Math.max(1, Math.floor(BAND_BYTES / sourceBytes));
  const middleBytes = verticalFirst ? sourceBytes : targetBytes;

  let end = SLACK;
  const reserve = (bytes: number) => {
    const start = end;
    end += Math.ceil((bytes + SLACK) / 16) * 16;
    return start;
  };
  const columnStarts = reserve(columnCount * 4);
  const columnWeights = reserve(columns.weights.byteLength);
  const rowStarts = reserve(bandRows * 4);
  const rowWeights = reserve(bandRows * rows.count * 4);
  const piece = reserve(Math.min(pieceRows, sourceRows) * sourceBytes);
  const middle = reserve((verticalFirst ? bandRows : sourceRows) * middleBytes);
  const target = reserve(bandRows * targetBytes);
  if (end > memory.buffer.byteLength) memory.grow(Math.ceil((end - memory.buffer.byteLength) / PAGE));

  const words = new Int32Array(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  for (let i = 0; i < columnCount; i++) words[columnStarts / 4 + i] = (columns.starts[i]! - firstColumn) * 3;
  words.set(columns.weights, columnWeights / 4);
  for (let i = 0; i < bandRows; i++)
    words[rowStarts / 4 + i] = (rows.starts[top + i]! - firstRow) * middleBytes;
  words.set(rows.weights.subarray(top * rows.count, bottom * rows.count), rowWeights / 4);

  const copyRows = (first: number, count: number) => {
    const stride = image.width * 3;
    const origin = (region.left + firstColumn) * 3 + (region.top + firstRow + first) * stride;
    for (let i = 0; i < count; i++) {
      const from = origin + i * stride;
      bytes.set(image.data.subarray(from, from + sourceBytes), piece + i * sourceBytes);
    }
  };
  const narrow = (source: number, stride: number, count: number, into: number) =>
    horizontal(source, stride, count, into, columnCount, columnStarts, columnWeights, columns.count);
  const shorten = (source: number, into: number) =>
    vertical(source, middleBytes, into, bandRows, rowStarts, rowWeights, rows.count);

  if (verticalFirst) {
    copyRows(0, sourceRows);
    shorten(piece, middle);
    narrow(middle, sourceBytes, bandRows, target);
  } else {
    for (let done = 0; done < sourceRows; done += pieceRows) {
      const count = Math.min(pieceRows, sourceRows - done);
      copyRows(done, count);
      narrow(piece, sourceBytes, count, middle + done * targetBytes);
    }
    shorten(middle, target);
  }
  output.set(bytes.subarray(target, target + bandRows * targetBytes), top * targetBytes);
}
