import type { LabelMap } from '@as-mlp/data';
import { IGNORED } from '../labels.ts';

/**
 * Label maps whose 0 means unlabelled and whose classes count from 1, as ADE20K's: 0 becomes `ignore`, `ignore` stays, and
 * every other label falls by one.
 */
export function reduceZeroLabel(labels: LabelMap, ignore = IGNORED): LabelMap {
  const data = labels.data.slice();
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    data[i] = value === 0 || value === ignore ? ignore : value - 1;
  }
  return { ...labels, data };
}
