import type { Choose } from './choose.ts';

/** The samplers of the reference's fixtures, which draw nothing. */
export const CHOOSERS: Readonly<Record<'first' | 'even', Choose>> = {
  first: (indices, count) => indices.slice(0, count),
  even: (indices, count) =>
    indices.length <= count
      ? indices
      : Int32Array.from({ length: count }, (_, i) => indices[Math.floor((i * indices.length) / count)]!),
};
