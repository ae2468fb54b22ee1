import type { RpnLevel } from '../predict/proposals.ts';
import { chooseProposals } from '../predict/proposals.ts';
import type { ImageExtent } from './rpn-targets.ts';

/** Official largest overlap of two proposals of one level. */
const OVERLAP = 0.7;

/** What the proposal network says of one level of a batch: `[B, height, width, 3]` logits and as many times four deltas. */
export type RpnLevelAnswers = RpnLevel;

/** The `[N, 4]` proposals of each image, best first, without gradients. */
export function trainingProposals(
  levels: readonly RpnLevelAnswers[],
  extents: readonly ImageExtent[],
  options: { readonly perLevel: number; readonly limit: number },
): Float32Array[] {
  return extents.map(({ image: clip }, image) => {
    const part = (values: Float32Array) => {
      const length = values.length / extents.length;
      return values.subarray(image * length, (image + 1) * length);
    };
    const own = levels.map((level) => ({
      ...level,
      logits: part(level.logits),
      deltas: part(level.deltas),
    }));
    return chooseProposals(own, clip, { ...options, threshold: OVERLAP }).boxes;
  });
}
