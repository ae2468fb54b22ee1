import { AsMlpError } from '@as-mlp/base';
import type { Region, Size } from '@as-mlp/data';
import type { Box } from '../boxes/box.ts';

/**
 * A binary mask as run lengths, column by column: zeros, ones, zeros, … starting with zeros (the first may be 0). The
 * counts sum to `height · width`.
 */
export interface Rle extends Size {
  readonly counts: Uint32Array;
}

/** A mask as it stands in COCO files: `size` is [height, width], `counts` the compressed string or the plain numbers. */
export interface RleJson {
  readonly size: readonly [height: number, width: number];
  readonly counts: string | readonly number[];
}

/** Positions in a mask, and so its area, stay below this. */
const MAX_PIXELS = 2 ** 31;
/** Characters of the compressed form are `0` plus six bits: five of the number and one that says that more follow. */
const FIRST_CHARACTER = 48;
const MORE = 0x20;
const SIGN = 0x10;
const BITS = 0x1f;
/** Seven characters carry 35 bits, enough for every count. */
const MAX_SHIFT = 30;

/**
 * Run lengths of a mask. `mask` holds one byte a pixel, row by row, anything but 0 being inside. With `region` it covers
 * that part of the image alone and the rest is outside, which spares pasting a small mask into a large image.
 * Throws AsMlpError('input') when the bytes do not match the size.
 */
export function encodeMask(mask: Uint8Array, size: Size, region?: Region): Rle {
  checkMaskSize(size, 'a mask');
  const { top, left, height, width } = region ?? { top: 0, left: 0, ...size };
  if (mask.length !== height * width) {
    throw new AsMlpError('input', {
      what: `a mask of ${height}×${width} needs ${height * width} bytes and has ${mask.length}`,
      fix: 'Give one byte a pixel',
    });
  }
  if (top < 0 || left < 0 || top + height > size.height || left + width > size.width) {
    throw new AsMlpError('input', {
      what: `a mask of ${height}×${width} at row ${top}, column ${left} does not fit into ${size.height}×${size.width}`,
      fix: 'Cut the part that lies inside the image',
    });
  }
  const edges: number[] = [];
  let inside = false;
  for (let x = 0; x < width; x++) {
    const column = (left + x) * size.height;
    // Above and below the region is outside.
    if (inside && height < size.height) {
      inside = false;
      edges.push(column - size.height + top + height);
    }
    for (let y = 0, at = x; y < height; y++, at += width) {
      if ((mask[at] !== 0) !== inside) {
        inside = !inside;
        edges.push(column + top + y);
      }
    }
  }
  if (inside) edges.push((left + width - 1) * size.height + top + height);
  return rleFromEdges(edges, edges.length, size);
}

/** The mask of run lengths: `[height · width]` bytes, row by row, 1 inside and 0 outside. */
export function decodeMask({ height, width, counts }: Rle): Uint8Array {
  const mask = new Uint8Array(height * width);
  let position = counts[0] ?? 0;
  for (let run = 1; run < counts.length; run += 2) {
    const end = position + counts[run]!;
    let x = Math.floor(position / height);
    let y = position - x * height;
    for (; position < end; position++) {
      mask[y * width + x] = 1;
      if (++y === height) {
        y = 0;
        x++;
      }
    }
    position += counts[run + 1] ?? 0;
  }
  return mask;
}

/**
 * Run lengths from the sorted positions where a mask changes (column by column, the first `length` of `edges`). Two
 * changes at one position cancel. An edge at the end of the mask is no change.
 */
export function rleFromEdges(edges: ArrayLike<number>, length: number, { height, width }: Size): Rle {
  const total = height * width;
  const kept = new Uint32Array(length + 1);
  let n = 0;
  for (let i = 0; i < length; i++) {
    if (n > 0 && kept[n - 1] === edges[i]) n--;
    else kept[n++] = edges[i]!;
  }
  if (n === 0 || kept[n - 1] !== total) kept[n++] = total;
  for (let i = n - 1; i > 0; i--) kept[i]! -= kept[i - 1]!;
  return { height, width, counts: kept.subarray(0, n) };
}

/** Pixels inside. */
export function rleArea({ counts }: Rle): number {
  let area = 0;
  for (let i = 1; i < counts.length; i += 2) area += counts[i]!;
  return area;
}

/** The smallest box of whole pixels around the mask; [0, 0, 0, 0] for an empty one. */
export function rleBox({ height, counts }: Rle): Box {
  let [x0, y0, x1, y1] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0];
  let position = counts[0] ?? 0;
  for (let run = 1; run < counts.length; run += 2) {
    const length = counts[run]!;
    if (length > 0) {
      const last = position + length - 1;
      const first = Math.floor(position / height);
      const final = Math.floor(last / height);
      if (first < x0) x0 = first;
      if (final >= x1) x1 = final + 1;
      // A run that goes on in the next column touches the bottom of one and the top of the other.
      const top = first < final ? 0 : position - first * height;
      const bottom = first < final ? height : last - final * height + 1;
      if (top < y0) y0 = top;
      if (bottom > y1) y1 = bottom;
    }
    position += length + (counts[run + 1] ?? 0);
  }
  return x1 === 0 ? [0, 0, 0, 0] : [x0, y0, x1, y1];
}

/** The compressed form of run lengths: from the fourth on, each count is written as the difference to the last but one. */
export function compressCounts(counts: ArrayLike<number>): string {
  const characters: number[] = [];
  for (let i = 0; i < counts.length; i++) {
    let value = i > 2 ? counts[i]! - counts[i - 2]! : counts[i]!;
    for (let more = true; more; ) {
      let bits = value & BITS;
      value >>= 5;
      more = bits & SIGN ? value !== -1 : value !== 0;
      if (more) bits |= MORE;
      characters.push(bits + FIRST_CHARACTER);
    }
  }
  let text = '';
  for (let at = 0; at < characters.length; at += 4096) {
    text += String.fromCharCode(...characters.slice(at, at + 4096));
  }
  return text;
}

/** Run lengths from their compressed form. Throws AsMlpError('input') for a string that no count could have made. */
export function decompressCounts(text: string, where?: string): Uint32Array {
  let n = 0;
  for (let i = 0; i < text.length; i++) if (!((text.charCodeAt(i) - FIRST_CHARACTER) & MORE)) n++;
  const counts = new Uint32Array(n);
  let value = 0;
  let shift = 0;
  n = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i) - FIRST_CHARACTER;
    if (character < 0 || character > 63 || shift > MAX_SHIFT) throw malformed(text, i, where);
    value |= (character & BITS) << shift;
    shift += 5;
    if (character & MORE) continue;
    if (character & SIGN && shift < 32) value |= -1 << shift;
    if (n > 2) value += counts[n - 2]!;
    if (value < 0 || value >= MAX_PIXELS) throw malformed(text, i, where);
    counts[n++] = value;
    value = shift = 0;
  }
  if (shift > 0) throw malformed(text, text.length - 1, where);
  return counts;
}

function malformed(text: string, at: number, where: string | undefined): AsMlpError {
  return new AsMlpError('input', {
    where,
    what: `the compressed mask is malformed at character ${at + 1} of ${text.length}`,
    fix: 'Write the counts as pycocotools.mask.encode does',
  });
}

/** The COCO form of a mask, compressed. */
export function rleToJson({ height, width, counts }: Rle): { size: [number, number]; counts: string } {
  return { size: [height, width], counts: compressCounts(counts) };
}

/**
 * A mask from its COCO form, compressed or not. Throws AsMlpError('input') for anything else, for counts that do not sum to
 * height · width (pycocotools leaves the rest undefined), and for another size than `expected`.
 */
export function rleFromJson(json: unknown, where?: string, expected?: Size): Rle {
  const fault = (what: string, fix: string): AsMlpError => new AsMlpError('input', { where, what, fix });
  const { size, counts } = (json ?? {}) as Partial<Record<string, unknown>>;
  if (!Array.isArray(size) || size.length !== 2 || (typeof counts !== 'string' && !Array.isArray(counts))) {
    throw fault('this is no run-length mask', 'Write { "size": [height, width], "counts": "…" }');
  }
  const [height, width] = size as [number, number];
  checkMaskSize({ height, width }, where);
  if (expected && (height !== expected.height || width !== expected.width)) {
    throw fault(
      `the mask has ${height}×${width} pixels and its image ${expected.height}×${expected.width} (height × width)`,
      'Make masks at the size that the ground truth states for the image',
    );
  }
  const runs = typeof counts === 'string' ? decompressCounts(counts, where) : plainCounts(counts, where);
  let sum = 0;
  for (let i = 0; i < runs.length; i++) sum += runs[i]!;
  if (sum !== height * width) {
    throw fault(
      `the counts of the mask sum to ${sum}, not to ${height}·${width} = ${height * width}`,
      'The mask is truncated, or its size is wrong: write it again',
    );
  }
  return { height, width, counts: runs };
}

function plainCounts(counts: readonly unknown[], where: string | undefined): Uint32Array {
  const bad = counts.findIndex((count) => !(Number.isInteger(count) && (count as number) >= 0));
  if (bad < 0) return Uint32Array.from(counts as number[]);
  throw new AsMlpError('input', {
    where,
    what: `count ${bad + 1} of the mask is ${JSON.stringify(counts[bad])}`,
    fix: 'Counts are whole numbers from 0',
  });
}

function checkMaskSize({ height, width }: Size, where: string | undefined): void {
  const whole = Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0;
  if (whole && height * width < MAX_PIXELS) return;
  throw new AsMlpError('input', {
    where,
    what: `${height}×${width} (height × width) is no size of a mask`,
    fix: 'Give positive whole numbers of pixels',
  });
}
