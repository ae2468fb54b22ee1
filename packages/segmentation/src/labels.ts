/** The index of pixels that count for nothing, in label maps and metrics. */
export const IGNORED = 255;

/** The index of such pixels where 8 bits hold no number beside the classes: beyond 255 classes it is 65535. */
export function ignoredIndex(numClasses: number): number {
  return numClasses > IGNORED ? 65_535 : IGNORED;
}
