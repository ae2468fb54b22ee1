import type { Size } from '@as-mlp/data';

/** Side of a square anchor, in strides. */
const SCALE = 8;
/** Height over width. */
const RATIOS = [0.5, 1, 2] as const;
/** Anchors at each cell of a map. */
export const ANCHORS_PER_CELL = RATIOS.length;

/** The three anchors of the cell at (0, 0), centred on its corner (not its middle), as officially. */
function baseAnchors(stride: number): Float32Array {
  const { fround } = Math;
  return Float32Array.from(
    RATIOS.flatMap((ratio) => {
      const root = fround(Math.sqrt(ratio));
      const halfWidth = 0.5 * fround(stride * SCALE * fround(1 / root));
      const halfHeight = 0.5 * fround(stride * SCALE * root);
      return [-halfWidth, -halfHeight, halfWidth, halfHeight];
    }),
  );
}

/**
 * Anchors of one level, four numbers each, in pixels: rows of cells, then columns, then ratios ½, 1 and 2.
 *
 * @param size of the level's map, in cells.
 * @param stride input pixels per cell.
 * @param indices which anchors; all when left out.
 */
export function anchors({ height, width }: Size, stride: number, indices?: ArrayLike<number>): Float32Array {
  const base = baseAnchors(stride);
  const count = indices?.length ?? height * width * ANCHORS_PER_CELL;
  const boxes = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) {
    const anchor = indices ? indices[i]! : i;
    const ratio = anchor % ANCHORS_PER_CELL;
    const cell = (anchor - ratio) / ANCHORS_PER_CELL;
    const x = (cell % width) * stride;
    const y = Math.floor(cell / width) * stride;
    boxes[i * 4] = base[ratio * 4]! + x;
    boxes[i * 4 + 1] = base[ratio * 4 + 1]! + y;
    boxes[i * 4 + 2] = base[ratio * 4 + 2]! + x;
    boxes[i * 4 + 3] = base[ratio * 4 + 3]! + y;
  }
  return boxes;
}

/**
 * For each anchor of a level, 1 if its cell lies on the image's own padded canvas of `canvas` pixels, else 0. In a batch the
 * map may be larger.
 */
export function validAnchors({ height, width }: Size, stride: number, canvas: Size): Uint8Array {
  const valid = new Uint8Array(height * width * ANCHORS_PER_CELL);
  const rows = Math.min(height, Math.ceil(canvas.height / stride));
  const columns = Math.min(width, Math.ceil(canvas.width / stride));
  for (let row = 0; row < rows; row++) {
    const start = row * width * ANCHORS_PER_CELL;
    valid.fill(1, start, start + columns * ANCHORS_PER_CELL);
  }
  return valid;
}
