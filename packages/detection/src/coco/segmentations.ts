import { AsMlpError } from '@as-mlp/base';
import type { Size } from '@as-mlp/data';
import { polygonRle } from './polygon.ts';
import { type Rle, rleFromJson } from './rle.ts';
import { mergeRles } from './rle-overlap.ts';

/** Fewer numbers than three corners need cover no pixel. */
const TRIANGLE = 6;

/**
 * The `segmentation` fields of many objects as they were read, decoded when asked. Polygons stand in one array of numbers;
 * run lengths are kept as they are.
 */
export class Segmentations {
  /** Numbers of all polygons end to end. */
  private readonly points: Float64Array;
  /** Where each polygon starts in `points`; one more at the end. */
  private readonly starts: Uint32Array;
  /** The first polygon of each object; one more at the end. */
  private readonly first: Uint32Array;
  /** What is no list of polygons, by object. */
  private readonly others = new Map<number, unknown>();

  /** `fields[i]` is the field of object i; undefined, null and `[]` mean that it has no mask. */
  constructor(fields: readonly unknown[]) {
    let [polygons, numbers] = [0, 0];
    for (const field of fields) {
      if (!Array.isArray(field)) continue;
      for (const part of field) numbers += Array.isArray(part) ? part.length : 1;
      polygons += field.length;
    }
    this.points = new Float64Array(numbers);
    this.starts = new Uint32Array(polygons + 1);
    this.first = new Uint32Array(fields.length + 1);
    let [polygon, at] = [0, 0];
    for (let i = 0; i < fields.length; i++) {
      this.first[i] = polygon;
      const field = fields[i];
      if (Array.isArray(field)) {
        for (const part of field) {
          this.starts[polygon++] = at;
          // What is no number becomes NaN, which is told when the mask is asked for.
          if (!Array.isArray(part)) this.points[at++] = Number.NaN;
          else for (const value of part) this.points[at++] = typeof value === 'number' ? value : Number.NaN;
        }
      } else if (field !== undefined && field !== null) {
        this.others.set(i, field);
      }
    }
    this.starts[polygon] = at;
    this.first[fields.length] = polygon;
  }

  /** Whether object `index` has a mask, readable or not. */
  has(index: number): boolean {
    return this.first[index] !== this.first[index + 1] || this.others.has(index);
  }

  /**
   * The mask of object `index` on an image of `size`: the union of its polygons, or its run lengths. Polygons of one or two
   * corners cover nothing and are passed over. Throws AsMlpError('input'), naming `where`, for no mask, for no polygon of
   * three corners, an odd or non-numeric polygon, and run lengths that do not fit the image.
   */
  rle(index: number, size: Size, where: string): Rle {
    const other = this.others.get(index);
    if (other !== undefined) return rleFromJson(other, where, size);
    const parts: Rle[] = [];
    try {
      for (let part = this.first[index]!; part < this.first[index + 1]!; part++) {
        const polygon = this.points.subarray(this.starts[part]!, this.starts[part + 1]!);
        if (polygon.length >= TRIANGLE || !polygon.every(Number.isFinite)) {
          parts.push(polygonRle(polygon, size));
        }
      }
    } catch (error) {
      if (!(error instanceof AsMlpError)) throw error;
      throw new AsMlpError('input', { where, what: error.what, fix: error.fix, cause: error });
    }
    if (parts.length > 0) return mergeRles(parts);
    throw new AsMlpError('input', {
      where,
      what: this.has(index) ? 'no polygon of "segmentation" has three corners' : 'there is no mask',
      fix: 'Give polygons or run lengths in "segmentation", or use the boxes alone',
    });
  }
}
